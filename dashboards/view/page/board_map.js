// A map by Leaflet that needs no network: streets and districts come from the view itself, in the
// theme's colours; tiles lie below them only where the view was given an address for them.

import { esc } from "cn-writing";

const grounds = new Map(); // address -> the parsed GeoJSON, fetched once a page

// The file may come later than the page: nothing is remembered until it is there.
async function ground(url) {
  if (!grounds.has(url)) {
    const answer = await fetch(url);
    if (answer.status !== 200) return null;
    grounds.set(url, await answer.json());
  }
  return grounds.get(url);
}


const MAJOR = /^(motorway|trunk|primary|secondary|arterial|ring|major|main)/i;

export default {
  template: `
    <div class="cn-map">
      <div ref="map" class="cn-map-canvas" role="application" :aria-label="label"></div>
      <div v-if="legend.length" class="cn-map-legend">
        <div v-for="one in legend" :key="one.name + one.kind" class="cn-map-legend-row">
          <template v-if="one.kind === 'scale'">
            <span class="cn-map-legend-name">{{ one.name }}</span>
            <span>{{ one.low }}</span>
            <span class="cn-map-scale" :style="{ background: 'linear-gradient(90deg,' + one.colors.join(',') + ')' }"></span>
            <span>{{ one.high }}</span>
          </template>
          <template v-else-if="one.kind === 'steps'">
            <span class="cn-map-legend-name">{{ one.name }}</span>
            <span v-for="step in one.steps" class="cn-map-step"><i class="cn-dot" :style="{ background: step.color }"></i>{{ step.text }}</span>
          </template>
          <template v-else>
            <i :class="one.kind === 'ring' ? 'cn-ring' : 'cn-dot'" :style="{ '--c': one.color, background: one.kind === 'ring' ? '' : one.color }"></i>
            <span>{{ one.name }}</span>
          </template>
        </div>
      </div>
    </div>`,
  props: { layers: Array, legend: Array, label: String, geojson: String, tiles: String, css: String, words: Object },
  watch: { layers: { handler: "mark" } },
  async mounted() {
    const [{ leaflet }] = await Promise.all([import("nicegui-leaflet"), this.style()]);
    if (!this.$refs.map) return; // left meanwhile
    this.L = leaflet;
    this.named = new Map();
    this.map = leaflet.map(this.$refs.map, {
      center: [0, 0], zoom: 2, zoomSnap: 0.25, zoomControl: false, attributionControl: Boolean(this.tiles),
      fadeAnimation: !this.still(), zoomAnimation: !this.still(), scrollWheelZoom: false, keyboard: true,
    });
    leaflet.control.zoom({ zoomInTitle: this.words.zoom_in, zoomOutTitle: this.words.zoom_out }).addTo(this.map);
    leaflet.control.scale({ imperial: false, position: "bottomright" }).addTo(this.map);
    if (this.tiles) leaflet.tileLayer(this.tiles, { attribution: "© OpenStreetMap", className: "cn-tiles" }).addTo(this.map);
    this.marked = leaflet.layerGroup().addTo(this.map);
    // The wheel scrolls the page until the map is in use.
    this.map.on("focus click", () => this.map.scrollWheelZoom.enable());
    this.map.on("blur mouseout", () => this.map.scrollWheelZoom.disable());
    this.map.on("movestart", (event) => { if (!this.fitting) this.moved = true; });
    await this.mark();
    this.observer = new ResizeObserver(() => {
      if (!this.map) return;
      this.map.invalidateSize({ animate: false });
      if (!this.moved) this.fit();
    });
    this.observer.observe(this.$refs.map);
  },
  beforeUnmount() {
    this.observer?.disconnect();
    this.map?.remove();
    this.map = null;
  },
  methods: {
    still() {
      return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    },
    style() {
      if (document.querySelector("link[data-cn-leaflet]")) return Promise.resolve();
      return new Promise((done) => {
        const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: this.css, onload: done, onerror: done });
        link.dataset.cnLeaflet = "";
        document.head.prepend(link);
      });
    },
    base(found) {
      const L = this.L;
      const pane = (name, z) => { this.map.createPane(name).style.zIndex = z; return name; };
      const [low, mid] = [pane("districts", 210), pane("streets", 220)];
      pane("names", 610);
      const area = (f) => /Polygon$/.test(f.geometry?.type);
      const line = (f) => /LineString$/.test(f.geometry?.type);
      const areas = L.geoJSON(found, {
        pane: low, interactive: false, filter: area, style: (f) => ({ className: f.properties?.kind === "water" ? "cn-geo-water" : "cn-geo-district", weight: 1 }),
        onEachFeature: (feature, layer) => {
          const { id, name } = feature.properties ?? {};
          if (!name || feature.properties.kind === "water") return;
          const named = { name, at: layer.getBounds().getCenter(), bounds: layer.getBounds() };
          for (const key of [id, name]) if (key) this.named.set(String(key), named);
        },
      }).addTo(this.map);
      const streets = L.geoJSON(found, {
        pane: mid, interactive: false, filter: line,
        style: (f) => {
          const major = MAJOR.test(f.properties?.class ?? f.properties?.kind ?? f.properties?.highway ?? "");
          return { className: major ? "cn-geo-street cn-geo-major" : "cn-geo-street", weight: major ? 3 : 1.5 };
        },
      }).addTo(this.map);
      this.ground = L.featureGroup([areas, streets]).getBounds();
    },
    async mark() {
      if (!this.map) return;
      if (this.geojson && !this.ground) {
        const found = await ground(this.geojson);
        if (!this.map) return;
        if (found && !this.ground) this.base(found);
      }
      const open = this.tip;
      this.marked.clearLayers();
      const bounds = this.L.latLngBounds([]);
      const unlinked = new Set(this.named.values());
      this.layers.forEach((layer, number) => {
        for (const point of layer.points) {
          bounds.extend(point.at);
          if (point.label) {
            const known = this.named.get(point.label);
            this.name(known?.at ?? point.at, known?.name ?? point.label, point);
            if (known) {
              unlinked.delete(known);
              bounds.extend(known.bounds);
            }
            continue;
          }
          const dot = this.L.circleMarker(point.at, {
            radius: layer.ringed ? Math.max(7, point.radius * 0.8) : Math.max(3, point.radius * 0.72),
            color: layer.ringed ? point.color : undefined,
            weight: layer.ringed ? 2.5 : 1.25,
            fillColor: point.color,
            fillOpacity: layer.ringed ? 0.14 : point.opacity,
            className: layer.ringed ? "cn-mark-ring" : "cn-mark",
          });
          const rows = point.says.map(([name, text]) => `<tr><th>${esc(name)}</th><td>${esc(text)}</td></tr>`).join("");
          dot.bindTooltip(`<div class="cn-tip-head">${esc(layer.name)}</div><table>${rows}</table>`, { className: "cn-map-tip", direction: "auto", opacity: 1 });
          dot.on("tooltipopen", () => { this.tip = `${number} ${point.at}`; });
          dot.on("tooltipclose", () => { this.tip = null; });
          if (point.href) {
            dot.on("click", () => { window.location.href = point.href; });
            dot.on("add", () => this.reachable(dot, point, layer));
          }
          dot.addTo(this.marked);
          if (open === `${number} ${point.at}`) dot.openTooltip();
        }
      });
      for (const one of unlinked) this.name(one.at, one.name, {});
      this.bounds = bounds.isValid() ? bounds : this.ground;
      if (!this.moved) this.fit();
    },
    // A name on the map; where it leads somewhere, it is a link.
    name(at, text, point) {
      const html = point.href
        ? `<a href="${esc(point.href)}" title="${esc(point.link)}">${esc(text)}</a>`
        : `<span>${esc(text)}</span>`;
      this.L.marker(at, {
        pane: this.map.getPane("names") ? "names" : "markerPane", interactive: false, keyboard: false,
        icon: this.L.divIcon({ className: "cn-geo-name", html, iconSize: [0, 0] }),
      }).addTo(this.marked);
    },
    // A marker that leads somewhere is a link for the keyboard too.
    reachable(dot, point, layer) {
      const path = dot.getElement();
      if (!path) return;
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "link");
      path.setAttribute("aria-label", `${layer.name}: ${point.says.map((pair) => pair.join(" ")).join(", ")}`);
      path.addEventListener("focus", () => dot.openTooltip());
      path.addEventListener("blur", () => dot.closeTooltip());
      path.addEventListener("keydown", (event) => { if (event.key === "Enter") window.location.href = point.href; });
    },
    fit() {
      const wanted = this.bounds ?? this.ground;
      if (!wanted?.isValid() || !this.$refs.map.clientWidth) return;
      const key = `${wanted.toBBoxString()} ${this.$refs.map.clientWidth} ${this.$refs.map.clientHeight}`;
      if (key === this.fitted) return;
      this.fitted = key;
      this.fitting = true;
      this.map.fitBounds(wanted, { padding: [18, 18], maxZoom: 16, animate: false });
      this.fitting = false;
    },
  },
};
