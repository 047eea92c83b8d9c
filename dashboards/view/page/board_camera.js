// A camera's latest picture with what was found in it drawn over it. Picture and boxes change at
// the same moment: the boxes wait until their picture is loaded.

export default {
  template: `
    <figure class="cn-camera" :class="'cn-camera-' + condition">
      <div class="cn-camera-frame" :style="{ aspectRatio: ratio }">
        <img v-if="shown.src" :src="shown.src" :alt="label" draggable="false" />
        <svg v-if="shown.state" :viewBox="'0 0 ' + size.w + ' ' + size.h" preserveAspectRatio="none" aria-hidden="true">
          <g v-for="zone in shown.state.zones" :key="zone.name">
            <polygon class="cn-cam-zone" :points="zone.points.map(([x, y]) => x * size.w + ',' + y * size.h).join(' ')" />
          </g>
          <g v-for="line in shown.state.lines" :key="line.name">
            <line class="cn-cam-line-back" v-bind="ends(line)" /><line class="cn-cam-line" v-bind="ends(line)" />
          </g>
          <g v-for="track in shown.state.tracks" :key="track.id" :style="{ '--c': colors[track.class] ?? colors.other }">
            <rect class="cn-cam-box-back" v-bind="box(track)" /><rect class="cn-cam-box" v-bind="box(track)" />
          </g>
        </svg>
        <div v-if="shown.state" class="cn-cam-labels" aria-hidden="true">
          <span v-for="track in tagged" :key="track.id" class="cn-cam-tag"
                :style="{ left: pc(track.box[0]), top: pc(track.box[1]), '--c': colors[track.class] ?? colors.other, '--i': inks[track.class] ?? inks.other }"
                :class="{ 'cn-cam-tag-in': track.box[1] < 0.07 }">{{ wide(track) ? (names[track.class] ?? track.class) + " " : "" }}{{ track.id }}</span>
          <span v-for="line in shown.state.lines" :key="line.name" class="cn-cam-linename"
                :style="{ left: pc((line.from[0] + line.to[0]) / 2), top: pc((line.from[1] + line.to[1]) / 2) }">{{ line.name }}</span>
          <span v-for="zone in shown.state.zones" :key="zone.name" class="cn-cam-zonename" :style="corner(zone)">{{ zone.name }} {{ total(zone.occupancy) }}</span>
        </div>
        <span class="cn-cam-state"><i aria-hidden="true"></i>{{ status }}</span>
      </div>
      <figcaption>
        <div class="cn-cam-head"><component :is="href ? 'a' : 'span'" :href="href" class="cn-cam-name">{{ title }}</component>
          <span v-if="shown.state && shown.state.simulated" class="cn-cam-sim">{{ words.simulated }}</span></div>
        <p v-if="problem" class="cn-cam-problem">{{ problem }}</p>
        <table v-if="shown.state && shown.state.lines.length" class="cn-cam-counts">
          <template v-for="line in shown.state.lines" :key="line.name">
            <tr v-for="(found, direction) in line.counts" :key="direction">
              <th scope="row">{{ line.name }} <span aria-hidden="true">›</span> {{ direction }}</th>
              <td v-if="compact"><b>{{ total(found) }}</b></td>
              <td v-else v-for="(n, kind) in found" :key="kind"><span class="cn-dot" :style="{ background: colors[kind] ?? colors.other }"></span> {{ names[kind] ?? kind }} <b>{{ n }}</b></td>
              <td v-if="!compact && !Object.keys(found).length" class="cn-cam-nil">0</td>
            </tr>
          </template>
        </table>
      </figcaption>
    </figure>`,
  props: {
    src: String, state: Object, condition: String, status: String, title: String, label: String, href: String,
    problem: String, compact: Boolean, names: Object, colors: Object, inks: Object, words: Object,
  },
  data: () => ({ shown: { src: null, state: null } }),
  computed: {
    size() {
      return { w: this.shown.state?.width || 640, h: this.shown.state?.height || 360 };
    },
    ratio() {
      const state = this.shown.state ?? this.state;
      return `${state?.width || 16} / ${state?.height || 9}`;
    },
    // In a small picture names of who is far off would cover each other, and the picture.
    tagged() {
      return this.shown.state.tracks.filter((track) => !this.compact || this.near(track));
    },
  },
  watch: { src: { handler: "load", immediate: true } },
  methods: {
    load() {
      if (!this.src) return;
      const [src, state] = [this.src, this.state];
      const picture = new Image();
      const take = () => { if (this.src === src || !this.shown.src) this.shown = { src, state }; };
      picture.onload = take;
      picture.onerror = () => {};
      picture.src = src;
    },
    box(track) {
      const [x0, y0, x1, y1] = track.box;
      return { x: x0 * this.size.w, y: y0 * this.size.h, width: (x1 - x0) * this.size.w, height: (y1 - y0) * this.size.h, rx: 2 };
    },
    ends(line) {
      return { x1: line.from[0] * this.size.w, y1: line.from[1] * this.size.h, x2: line.to[0] * this.size.w, y2: line.to[1] * this.size.h };
    },
    corner(zone) {
      const top = zone.points.reduce((a, b) => (b[1] < a[1] ? b : a));
      // Beside the edge, the name stands within the picture.
      const shift = top[0] < 0.12 ? "0" : top[0] > 0.88 ? "-100%" : "-50%";
      return { left: this.pc(top[0]), top: this.pc(top[1]), "--shift": shift };
    },
    near: (track) => track.box[3] - track.box[1] > 0.2,
    wide: (track) => track.box[2] - track.box[0] > 0.11,
    pc: (part) => `${(100 * part).toFixed(2)}%`,
    total: (found) => Object.values(found ?? {}).reduce((a, b) => a + b, 0),
  },
};
