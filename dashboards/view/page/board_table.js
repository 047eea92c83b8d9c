// A table whose header stays in place, whose columns sort, and whose cells may be bars or colours.
// A panel shows a dozen rows: those far below come when the browser has nothing else to do.

const AT_ONCE = 40;
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));

export default {
  template: `
    <div class="cn-table" :class="['cn-table-' + size, matrix ? 'cn-matrix' : columns.length > 8 ? 'cn-dense' : '']" tabindex="0" role="region" :aria-label="label">
      <table :style="{ '--rows': rows.length }">
        <thead v-if="header"><tr>
          <th v-for="(column, i) in columns" :key="i" scope="col" :class="'cn-' + column.align"
              :style="column.width ? { width: column.width + 'px' } : null" :aria-sort="state(i)">
            <button type="button" @click="by(i)">{{ column.title }}<span aria-hidden="true" class="cn-sort">{{ arrow(i) }}</span></button>
          </th>
        </tr></thead>
        <tbody>
          <tr v-for="(row, r) in sorted.slice(0, room)" :key="r">
            <td v-for="(cell, i) in row" :key="i" :class="['cn-' + columns[i].align, cell.b ? 'cn-filled' : '', cell.p !== undefined ? 'cn-barred' : '']"
                :style="{ background: cell.b, color: cell.c }" :title="cell.t.length > 24 ? cell.t : null">
              <div v-if="cell.p !== undefined" class="cn-bar-cell">
                <span class="cn-bar" aria-hidden="true"><i :style="{ width: 100 * cell.p + '%', background: cell.k }"></i></span>
                <component :is="cell.h ? 'a' : 'span'" :href="cell.h" :title="cell.l">{{ cell.t }}</component>
              </div>
              <a v-else-if="cell.h" :href="cell.h" :title="cell.l">{{ cell.t }}</a>
              <template v-else>{{ cell.t }}</template>
            </td>
          </tr>
        </tbody>
      </table>
      <p v-if="more" class="cn-table-more">{{ more }}</p>
    </div>`,
  props: { columns: Array, rows: Array, header: Boolean, size: String, sort: Object, matrix: Boolean, more: String, label: String },
  data: () => ({ chosen: null, room: AT_ONCE }),
  mounted() {
    this.widen();
  },
  updated() {
    this.widen();
  },
  computed: {
    order() {
      return this.chosen ?? this.sort;
    },
    sorted() {
      const order = this.order;
      if (!order || order.column >= this.columns.length) return this.rows;
      const key = (row) => {
        const cell = row[order.column];
        if (cell.v !== undefined) return cell.v;
        const number = cell.t === "" ? NaN : Number(cell.t);
        return Number.isNaN(number) ? cell.t : number;
      };
      const side = order.down ? -1 : 1;
      return [...this.rows].sort((one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === "" || b === "") return (a === "") - (b === ""); // blanks last, whichever way
        if (typeof a === typeof b && typeof a === "number") return side * (a - b);
        return side * String(a).localeCompare(String(b), undefined, { numeric: true });
      });
    },
  },
  methods: {
    widen() {
      if (this.room < this.rows.length) idle(() => { this.room += AT_ONCE; });
    },
    by(column) {
      const now = this.order;
      if (now?.column !== column) this.chosen = { column, down: false };
      else this.chosen = { column, down: !now.down };
    },
    state(column) {
      if (this.order?.column !== column) return "none";
      return this.order.down ? "descending" : "ascending";
    },
    arrow(column) {
      if (this.order?.column !== column) return "";
      return this.order.down ? "▼" : "▲";
    },
  },
};
