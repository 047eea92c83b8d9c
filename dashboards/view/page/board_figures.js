// Key figures with their course behind them, or bars of single values under each other.

export default {
  template: `
    <ul v-if="bars" class="cn-bars">
      <li v-for="(bar, i) in bars" :key="i">
        <component :is="bar.href ? 'a' : 'span'" :href="bar.href" :title="bar.link ?? bar.title" class="cn-bars-name">{{ bar.title }}</component>
        <span class="cn-bars-track" :class="{ 'cn-bars-unfilled': unfilled }" aria-hidden="true"><i :style="{ width: 100 * bar.part + '%', background: bar.color }"></i></span>
        <span class="cn-bars-value" :style="{ color: bar.ink }">{{ bar.text }}</span>
      </li>
    </ul>
    <ul v-else class="cn-figures" :class="{ 'cn-figures-several': figures.length > 1 }">
      <li v-for="(figure, i) in figures" :key="i" class="cn-figure" :style="{ background: figure.background, color: figure.color }"
          :class="{ 'cn-figure-filled': figure.background, 'cn-figure-none': figure.none }">
        <svg v-if="figure.spark" class="cn-spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true" :style="{ '--c': figure.line }">
          <path class="cn-spark-area" :d="figure.spark.area" /><path class="cn-spark-line" :d="figure.spark.line" />
        </svg>
        <span v-if="figure.title" class="cn-figure-title">{{ figure.title }}</span>
        <component :is="figure.href ? 'a' : 'span'" :href="figure.href" :title="figure.link" class="cn-figure-value" :style="{ '--n': length(figure) }">
          <span class="cn-figure-unit">{{ figure.prefix }}</span>{{ figure.text }}<span class="cn-figure-unit">{{ figure.suffix }}</span>
        </component>
      </li>
    </ul>`,
  props: { figures: Array, filled: Boolean, bars: Array, unfilled: Boolean },
  methods: {
    // Wide letters count twice, so that a long word is written smaller and not cut.
    length(figure) {
      const wide = (text) => [...(text ?? "")].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1.8 : 1), 0);
      return wide(figure.text) + 0.6 * (wide(figure.prefix) + wide(figure.suffix));
    },
  },
};
