// How numbers and moments are written. The numbers' units come with the data (values.ladder).

const PLURALS = [" min", " hour", " day", " week", " year"];

export function esc(text) {
  return String(text ?? "").replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function decimalsFor(value) {
  if (value === 0 || !Number.isFinite(value) || value % 1 === 0) return 0;
  return Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
}

function fixed(value, decimals) {
  const wanted = decimals ?? decimalsFor(value);
  const factor = 10 ** Math.max(0, wanted);
  return (Math.floor(value * factor + 0.5) / factor).toFixed(Math.min(20, Math.max(0, wanted)));
}

function stripped(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// A value by its field's ladder; of an axis, as exactly as its ticks need.
export function written(value, format, axis = false) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const mapped = format.mapped?.find((one) =>
    one.value !== null && one.value !== undefined
      ? String(value) === one.value
      : (one.from === null || value >= one.from) && (one.to === null || value <= one.to),
  );
  if (mapped) return mapped.text;
  if (format.date) return moment(value);
  const size = Math.abs(value);
  let step = format.steps[0];
  for (const one of format.steps) if (size >= one[0]) step = one;
  const scaled = value / step[1];
  const text = axis
    ? stripped(Number(scaled.toPrecision(7)).toFixed(Math.max(0, Math.min(6, 6 - Math.ceil(Math.log10(Math.abs(scaled) || 1))))))
    : format.decimals === null
      ? stripped(fixed(scaled, null))
      : fixed(scaled, format.decimals);
  const plural = PLURALS.includes(step[3]) && Math.abs(scaled) > 1 ? "s" : "";
  return `${step[2]}${text}${step[3]}${plural}`;
}

const two = (n) => String(n).padStart(2, "0");

export function moment(at) {
  const d = new Date(at);
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${day} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

// A tick of a time axis that is `length` ms long: the day where it begins, the time elsewhere.
export function tickTime(at, length) {
  const d = new Date(at);
  const midnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
  if (length > 40 * 86_400_000) return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  if (midnight && length > 3_600_000) return `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  if (length > 4 * 86_400_000) return `${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
  const time = `${two(d.getHours())}:${two(d.getMinutes())}`;
  return length < 300_000 || d.getSeconds() ? `${time}:${two(d.getSeconds())}` : time;
}
