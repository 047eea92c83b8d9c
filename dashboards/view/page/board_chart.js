// A chart by ECharts, with what its option cannot say: how numbers are written, a legend and a
// tooltip in HTML, annotations, bands and states, zooming by dragging, and stepping by keys.

import { draws } from "cn-drawers";
import { esc, moment, tickTime, written } from "cn-writing";

const crosshairs = new Set();
const STEP_KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
const LEAST_DRAG_PX = 6;
const NEAR_PX = 7;

export default {
  template: `
    <div class="cn-chart" :class="{ 'cn-legend-right': own.legend && own.legend.right }">
      <div ref="plot" class="cn-plot" tabindex="0" role="img" :aria-label="label"
           @keydown="step" @blur="leave">
        <div ref="canvas" class="cn-canvas"></div>
        <div ref="cross" class="cn-cross" hidden></div>
        <div ref="drag" class="cn-drag" hidden></div>
      </div>
      <div v-if="own.legend" class="cn-legend" :class="{ 'cn-legend-table': own.legend.table }">
        <div v-if="own.legend.table && own.legend.calcs.length" class="cn-legend-row cn-legend-head">
          <span class="cn-legend-name"></span>
          <span v-for="calc in own.legend.calcs" class="cn-legend-calc">{{ calc }}</span>
        </div>
        <div v-for="item in own.legend.items" :key="item.series" class="cn-legend-row">
          <button type="button" class="cn-legend-name" :aria-pressed="String(!hidden.has(nameOf(item)))"
                  :title="words.toggle" @click="toggle(item, $event)">
            <span class="cn-swatch" :class="'cn-swatch-' + item.style" :style="{ '--c': own.series[item.series].color }"></span>
            <span class="cn-legend-text">{{ nameOf(item) }}</span>
          </button>
          <span v-for="(text, i) in item.calcs" class="cn-legend-calc">
            <span v-if="!own.legend.table" class="cn-legend-label">{{ own.legend.calcs[i] }}</span>{{ text }}
          </span>
          <a v-if="own.series[item.series].href" class="cn-legend-link" :href="own.series[item.series].href"
             :title="own.series[item.series].link" :aria-label="own.series[item.series].link + ': ' + nameOf(item)">→</a>
        </div>
      </div>
      <div v-if="own.key" class="cn-legend">
        <span v-for="one in own.key" :key="one.text" class="cn-legend-row">
          <span class="cn-legend-name"><span class="cn-swatch cn-swatch-points" :style="{ '--c': one.color }"></span>{{ one.text }}</span>
        </span>
      </div>
    </div>`,
  props: { option: Object, own: Object, label: String, words: Object },
  data: () => ({ hidden: new Set(), place: -1 }),
  watch: {
    option: { handler: "draw" },
  },
  async mounted() {
    const { echarts } = await import("nicegui-echart");
    if (!this.$refs.canvas) return; // left meanwhile
    this.chart = echarts.init(this.$refs.canvas, null, { renderer: "canvas" });
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.$refs.plot);
    this.pointers();
    crosshairs.add(this);
    this.draw();
  },
  beforeUnmount() {
    crosshairs.delete(this);
    this.observer?.disconnect();
    this.chart?.dispose();
    this.chart = null;
  },
  methods: {
    nameOf(item) {
      return this.own.series[item.series].name;
    },
    draw() {
      if (!this.chart) return;
      const option = structuredClone(Vue.toRaw(this.option));
      const narrow = this.$refs.plot.clientWidth < 420;
      const height = this.$refs.plot.clientHeight;
      for (const axis of [].concat(option.xAxis)) this.dress(axis, narrow ? 3 : 0, 0);
      [].concat(option.yAxis).forEach((axis, i) => this.dress(axis, Math.max(2, Math.round(height / 48)), i));
      option.tooltip = { ...option.tooltip, ...this.tooltip() };
      for (const series of option.series) {
        if (series.draws) series.renderItem = draws[series.draws](series);
        if (series.label?.show) {
          const own = this.own.series[option.series.indexOf(series)];
          series.label.formatter = (item) => written(item.value, own.format);
        }
      }
      option.legend = {
        show: false,
        selected: Object.fromEntries([...this.hidden].map((name) => [name, false])),
      };
      this.chart.setOption(option, { notMerge: true });
    },
    dress(axis, splits, index) {
      if (splits) axis.splitNumber = splits;
      if (axis.type === "time") {
        const width = this.$refs.plot.clientWidth;
        axis.splitNumber = Math.max(2, Math.min(10, Math.round(width / 110)));
        const length = axis.max - axis.min;
        axis.axisLabel.formatter = (at) => tickTime(at, length);
        axis.minInterval = 1000;
      } else if (axis.type === "value" || axis.type === "log") {
        const format = this.own.axes[index];
        if (format) axis.axisLabel.formatter = (value) => written(value, format, true);
      } else if (axis.type === "category" && this.own.marks && axis.data && this.$refs.plot.clientWidth < 520) {
        axis.axisLabel.width = 84;
      }
    },
    tooltip() {
      const wanted = this.own.tooltip.mode;
      const states = this.own.key !== undefined;
      return {
        show: wanted !== "none" || states,
        trigger: states ? "item" : "axis",
        confine: false,
        appendTo: document.body,
        className: "cn-tip",
        transitionDuration: 0,
        padding: 0,
        borderWidth: 0,
        backgroundColor: "transparent",
        extraCssText: "box-shadow:none",
        formatter: (items) => (states ? this.tipState(items) : this.tipAxis([].concat(items))),
        // Beside the pointer, and never over the edge of the window.
        position: (point, _params, element) => this.beside(point, element),
        axisPointer: { type: this.own.time ? "line" : "shadow", animation: false },
      };
    },
    beside(point, element) {
      const box = this.$refs.canvas.getBoundingClientRect();
      const [w, h] = [element.offsetWidth, element.offsetHeight];
      let x = point[0] + 16;
      if (box.left + x + w > window.innerWidth - 8) x = point[0] - w - 16;
      if (box.left + x < 8) x = 8 - box.left;
      let y = point[1] + 16;
      if (box.top + y + h > window.innerHeight - 8) y = point[1] - h - 16;
      if (box.top + y < 8) y = 8 - box.top;
      return [x, y];
    },
    tipState(item) {
      const [, from, to] = item.value;
      const name = [].concat(this.option.yAxis)[0].data[item.value[0]];
      return `<div class="cn-tip-head">${esc(name)}</div><div class="cn-tip-row">
        <span class="cn-swatch cn-swatch-points" style="--c:${item.data.color}"></span>
        <span class="cn-tip-name">${esc(item.data.text)}</span></div>
        <div class="cn-tip-note">${moment(from)} – ${moment(to)}</div>`;
    },
    tipAxis(items) {
      const at = items[0]?.axisValue;
      const head = this.own.time ? moment(at) : items[0]?.name;
      let rows = [];
      for (const item of items) {
        const place = /^s(\d+)$/.exec(item.seriesId);
        if (!place) continue;
        const own = this.own.series[+place[1]];
        const value = Array.isArray(item.value) ? item.value[1] : item.value;
        if (!own || !own.tooltip || value === null || value === undefined) continue;
        rows.push({ own, value, text: written(value, own.format), index: item.seriesIndex, at: item.value });
      }
      if (this.own.tooltip.mode === "single" && rows.length > 1 && this.pointer) {
        const distance = (row) => {
          const found = this.chart.convertToPixel({ seriesIndex: row.index }, row.at);
          return found ? Math.abs(found[this.own.lying ? 0 : 1] - this.pointer[this.own.lying ? 0 : 1]) : 1e9;
        };
        rows = [rows.reduce((a, b) => (distance(b) < distance(a) ? b : a))];
      }
      if (this.own.tooltip.sort === "desc") rows.sort((a, b) => b.value - a.value);
      if (this.own.tooltip.sort === "asc") rows.sort((a, b) => a.value - b.value);
      const marks = this.own.time ? this.marksAt(at) : [];
      const lines = rows.map(
        (row) => `<div class="cn-tip-row"><span class="cn-swatch" style="--c:${row.own.color}"></span>
          <span class="cn-tip-name">${esc(row.own.name)}</span><b>${esc(row.text)}</b></div>`,
      );
      const notes = marks.map(
        (mark) => `<div class="cn-tip-mark" style="--c:${mark.color}"><b>${esc(mark.title)}</b>
          ${mark.text && mark.text !== mark.title ? `<div>${esc(mark.text)}</div>` : ""}
          <div class="cn-tip-note">${moment(mark.t)}${mark.end ? ` – ${moment(mark.end)}` : ""}</div></div>`,
      );
      return `<div class="cn-tip-head">${esc(head)}</div>${lines.join("")}${notes.join("")}`;
    },
    marksAt(at) {
      const near = this.timeOf(NEAR_PX) - this.timeOf(0);
      return this.own.marks
        .filter((mark) => (mark.end ? mark.t - near <= at && at <= mark.end + near : Math.abs(mark.t - at) <= near))
        .slice(-4);
    },
    timeOf(x) {
      return this.chart.convertFromPixel({ xAxisIndex: 0 }, x);
    },
    plotArea() {
      const grid = this.chart.getModel().getComponent("grid");
      return grid.coordinateSystem.getRect();
    },
    pointers() {
      const canvas = this.$refs.canvas;
      canvas.addEventListener("pointermove", (event) => {
        const box = canvas.getBoundingClientRect();
        this.pointer = [event.clientX - box.left, event.clientY - box.top];
        if (this.own.time) this.point(this.inside(this.pointer) ? this.timeOf(this.pointer[0]) : null);
        if (this.from !== undefined) this.band(event);
      });
      canvas.addEventListener("pointerleave", () => this.own.time && this.point(null));
      canvas.addEventListener("pointerdown", (event) => {
        if (!this.own.time || event.button !== 0 || event.pointerType === "touch") return;
        const x = event.clientX - canvas.getBoundingClientRect().left;
        if (!this.inside([x, event.clientY - canvas.getBoundingClientRect().top])) return;
        this.from = x;
        const done = (end) => {
          window.removeEventListener("pointermove", move);
          window.removeEventListener("pointerup", done);
          window.removeEventListener("keydown", cancel);
          const to = end.clientX === undefined ? this.from : end.clientX - canvas.getBoundingClientRect().left;
          this.$refs.drag.hidden = true;
          const from = this.from;
          this.from = undefined;
          if (Math.abs(to - from) < LEAST_DRAG_PX) return;
          const area = this.plotArea();
          const clamp = (v) => Math.min(area.x + area.width, Math.max(area.x, v));
          const [a, b] = [clamp(from), clamp(to)].sort((m, n) => m - n).map((v) => Math.round(this.timeOf(v)));
          if (b - a >= 1000) this.$emit("range", { from: a, to: b });
        };
        const move = (e) => this.band(e);
        const cancel = (e) => e.key === "Escape" && done({});
        window.addEventListener("pointermove", move);
        window.addEventListener("pointerup", done);
        window.addEventListener("keydown", cancel);
        event.preventDefault();
        this.$refs.plot.focus({ preventScroll: true });
      });
      canvas.addEventListener("click", () => {
        if (!this.own.links || !this.pointer) return;
        const axis = this.own.lying ? { yAxisIndex: 0 } : { xAxisIndex: 0 };
        if (!this.inside(this.pointer)) return;
        const place = this.chart.convertFromPixel(axis, this.pointer[this.own.lying ? 1 : 0]);
        if (this.own.links[place]) window.location.href = this.own.links[place];
      });
    },
    inside([x, y]) {
      if (!this.chart?.getOption()) return false;
      const area = this.plotArea();
      return x >= area.x && x <= area.x + area.width && y >= area.y && y <= area.y + area.height;
    },
    band(event) {
      const area = this.plotArea();
      const x = event.clientX - this.$refs.canvas.getBoundingClientRect().left;
      const clamp = (v) => Math.min(area.x + area.width, Math.max(area.x, v));
      const [a, b] = [clamp(this.from), clamp(x)].sort((m, n) => m - n);
      Object.assign(this.$refs.drag.style, {
        left: `${a}px`, width: `${b - a}px`, top: `${area.y}px`, height: `${area.height}px`,
      });
      this.$refs.drag.hidden = b - a < LEAST_DRAG_PX;
    },
    // The moment under the pointer of one chart is marked on all others.
    point(at) {
      for (const other of crosshairs) if (other !== this) other.cross(at);
    },
    cross(at) {
      const line = this.$refs.cross;
      if (!line || !this.chart?.getOption()) return;
      const axis = [].concat(this.option.xAxis)[0];
      if (at === null || !this.own.time || at < axis.min || at > axis.max) {
        line.hidden = true;
        return;
      }
      const area = this.plotArea();
      const x = this.chart.convertToPixel({ xAxisIndex: 0 }, at);
      Object.assign(line.style, { transform: `translateX(${x}px)`, top: `${area.y}px`, height: `${area.height}px` });
      line.hidden = false;
    },
    resized() {
      if (!this.chart || this.chart.isDisposed()) return;
      const before = this.chart.getWidth();
      this.chart.resize();
      if (Math.abs(before - this.chart.getWidth()) > 80) this.draw();
    },
    toggle(item, event) {
      const name = this.nameOf(item);
      const all = [...new Set(this.own.legend.items.map((one) => this.nameOf(one)))];
      const hidden = new Set(this.hidden);
      if (event.ctrlKey || event.metaKey || event.shiftKey) {
        if (!hidden.delete(name)) hidden.add(name);
      } else {
        // As in Grafana: a click shows this series alone, another one all of them.
        const alone = all.every((one) => (one === name) !== hidden.has(one));
        hidden.clear();
        if (!alone) all.filter((one) => one !== name).forEach((one) => hidden.add(one));
      }
      this.hidden = hidden;
      this.draw();
    },
    step(event) {
      const by = STEP_KEYS[event.key];
      const end = { Home: 0, End: Infinity }[event.key];
      if ((by === undefined && end === undefined) || !this.chart) {
        if (event.key === "Escape") this.leave();
        return;
      }
      const drawn = this.option.series;
      const series = drawn.findIndex((one) => !one.draws || one.draws === "states");
      if (series < 0) return;
      event.preventDefault();
      const last = drawn[series].data.length - 1;
      const from = this.place < 0 ? last + (by < 0 ? 1 : 0) : this.place;
      this.place = Math.max(0, Math.min(last, end ?? from + by));
      const data = drawn[series].data[this.place];
      const value = data?.value ?? data;
      if (Array.isArray(value)) this.pointer = this.chart.convertToPixel({ seriesIndex: series }, value);
      this.chart.dispatchAction({ type: "showTip", seriesIndex: series, dataIndex: this.place });
      if (this.own.time && !drawn[series].draws && Array.isArray(value)) this.point(value[0]);
      const tip = document.querySelector(".cn-tip");
      if (tip) this.$emit("said", tip.innerText.replace(/\s+/g, " "));
      window.cnSay?.(tip?.innerText.replace(/\s+/g, " ") ?? "");
    },
    leave() {
      this.place = -1;
      this.chart?.dispatchAction({ type: "hideTip" });
      this.point(null);
    },
  },
};
