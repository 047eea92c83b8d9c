// What ECharts' custom series draw: the ground of a band, annotations, states over time.
// Each takes its series and gives its renderItem.

const TEXT_PX = 11;

function band(series) {
  return (params, api) => {
    const points = series.segments[params.dataIndex];
    if (!points) return null;
    const at = (t, v) => api.coord([t, v]);
    const shape = [...points.map(([t, , high]) => at(t, high)), ...points.map(([t, low]) => at(t, low)).reverse()];
    return {
      type: "polygon",
      shape: { points: shape },
      style: { fill: series.color, opacity: series.opacity },
      silent: true,
    };
  };
}

function grounds(series, api, area) {
  return series.grounds.map(([start, end]) => {
    const x = Math.max(area.x, api.coord([start, 0])[0]);
    const width = Math.min(area.x + area.width, api.coord([end, 0])[0]) - x;
    const shape = { x, y: area.y, width: Math.max(0, width), height: area.height };
    return { type: "rect", shape, style: { fill: series.colors[0], opacity: 0.1 } };
  });
}

function marks(series) {
  return (params, api) => {
    const area = params.coordSys;
    const [from] = api.coord([api.value(0), 0]);
    const [to] = api.coord([api.value(1), 0]);
    const color = series.colors[params.dataIndex];
    const [left, right] = [Math.max(area.x, from), Math.min(area.x + area.width, to)];
    if ((right < area.x || left > area.x + area.width) && params.dataIndex) return null;
    const bottom = area.y + area.height;
    const children = [];
    if (right - left > 1) {
      // Long spans may lie over each other: their length is a strip at the foot of the plot.
      const foot = { x: left, y: bottom - 4, width: right - left, height: 4 };
      children.push({ type: "rect", shape: foot, style: { fill: color, opacity: 0.5 } });
    }
    if (params.dataIndex === 0) children.push(...grounds(series, api, area));
    if (from >= area.x) {
      children.push(
        {
          type: "line",
          shape: { x1: from, y1: area.y, x2: from, y2: bottom },
          style: { stroke: color, lineWidth: 1, lineDash: [4, 3], opacity: 0.9 },
        },
        {
          type: "polygon",
          shape: { points: [[from, bottom - 7], [from - 5, bottom], [from + 5, bottom]] },
          style: { fill: color },
        },
      );
    }
    return { type: "group", children, silent: true };
  };
}

function states(series) {
  return (params, api) => {
    const area = params.coordSys;
    const [x0, y] = api.coord([api.value(1), api.value(0)]);
    const [x1] = api.coord([api.value(2), api.value(0)]);
    const height = Math.min(34, api.size([0, 1])[1] * series.height);
    const left = Math.max(area.x, x0);
    const width = Math.min(area.x + area.width, x1) - left;
    if (width <= 0) return null;
    const item = series.data[params.dataIndex];
    const fits = series.labels && height >= TEXT_PX + 2 && width > 7 * item.text.length + 10;
    return {
      type: "rect",
      shape: { x: left, y: y - height / 2, width: Math.max(1, width - 1), height, r: 2 },
      style: { fill: item.color },
      textConfig: { position: "insideLeft", distance: 6 },
      textContent: fits ? { style: { text: item.text, fill: item.ink, fontSize: TEXT_PX } } : undefined,
    };
  };
}

export const draws = { band, marks, states };
