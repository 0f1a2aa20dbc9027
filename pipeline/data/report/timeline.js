/* The timeline of one dialogue as SVG.

     flags       | follow up question  : yields after 0.42 s
     user    [== query ==]      [= interruption =]
     assistant        [== answer ==~           [== reaction ==]
     axis    0      2      4      6      8      10 s
*/

const SVG = "http://www.w3.org/2000/svg";
const LANE = 48;
const LANE_GAP = 8;
const FLAG_ROW = 16;
const AXIS = 20;
const MIN_PX_PER_S = 34; /* Below this a bar cannot hold its words: the chart scrolls instead. */
const MAX_PX_PER_S = 160;
const PAD = 6;

/** An SVG element with attributes; text only ever through textContent. */
function draw(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** An HTML element with a class and text. */
function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function spell(label) {
  return label.replaceAll("_", " ");
}

/** 83.24 -> "1:23.2" */
function clock(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const rest = String(tenths % 600).padStart(3, "0");
  return `${Math.floor(tenths / 600)}:${rest.slice(0, 2)}.${rest.slice(2)}`;
}

/** Flags of a dialogue, each on the lowest row where its words are clear of those before it. */
function placeFlags(dialogue, x, width) {
  const flags = [];
  for (const event of dialogue.events) {
    flags.push({ at: event.onset_s, kind: "onset", text: spell(event.type) });
    if (event.yielded_at_s !== null) {
      const delay = (event.yielded_at_s - event.onset_s).toFixed(2);
      flags.push({ at: event.yielded_at_s, kind: "yield", text: `yields after ${delay} s` });
    }
  }
  flags.sort((a, b) => a.at - b.at);
  const rows = [];
  for (const flag of flags) {
    const length = flag.text.length * 6 + 10;
    flag.x = x(flag.at);
    flag.leftward = flag.x + length > width && flag.x > length;
    const [from, to] = flag.leftward ? [flag.x - length, flag.x] : [flag.x, flag.x + length];
    let row = rows.findIndex((taken) => taken.every(([a, b]) => to < a || b < from));
    if (row < 0) row = rows.push([]) - 1;
    rows[row].push([from, to]);
    flag.row = row;
  }
  return { flags, rows: rows.length };
}

/** Rounded where the clip was heard to its end, torn where the speaker broke off. */
function barPath(x0, x1, y, height, torn) {
  const r = Math.min(5, (x1 - x0) / 2);
  const left = `V${y + r} Q${x0} ${y} ${x0 + r} ${y}`;
  const close = `H${x0 + r} Q${x0} ${y + height} ${x0} ${y + height - r} Z`;
  const start = `M${x0} ${y + height - r} ${left}`;
  if (!torn) {
    const top = `H${x1 - r} Q${x1} ${y} ${x1} ${y + r}`;
    return `${start} ${top} V${y + height - r} Q${x1} ${y + height} ${x1 - r} ${y + height} ${close}`;
  }
  const depth = Math.min(4, (x1 - x0) / 2);
  const teeth = 6;
  let edge = `H${x1}`;
  for (let i = 1; i <= teeth; i++) edge += ` L${i % 2 ? x1 - depth : x1} ${y + (height * i) / teeth}`;
  return `${start} ${edge} ${close}`;
}

function drawBar(utterance, x, y, height) {
  const [start, end] = utterance.at_s;
  const group = draw("g", {});
  const torn = utterance.truncated ? ", broken off" : "";
  group.append(
    draw("title", {}, `${spell(utterance.speaker)}, ${start.toFixed(2)}–${end.toFixed(2)} s${torn}\n${utterance.text}`),
    draw("path", {
      class: `bar ${utterance.speaker}`,
      d: barPath(x(start), Math.max(x(end), x(start) + 2), y, height, utterance.truncated),
    }),
  );
  return group;
}

/** The words of a bar, as many as it holds. Drawn last, so that no line or shade lies over them. */
function drawBarText(utterance, x, y, height) {
  const width = x(utterance.at_s[1]) - x(utterance.at_s[0]) - (utterance.truncated ? 3 : 0);
  if (width < 32) return "";
  const frame = draw("foreignObject", { class: "bar-frame", x: x(utterance.at_s[0]), y, width, height });
  const text = make("div", height < LANE ? "bar-text low" : "bar-text");
  text.append(make("span", "", utterance.text));
  frame.append(text);
  return frame;
}

/** Ticks at 1, 2, 5, 10 ... seconds, at least 56 pixels apart. */
function drawAxis(duration, x, pxPerSecond, top, bottom) {
  const step = [1, 2, 5, 10, 15, 30, 60].find((s) => s * pxPerSecond >= 56) || 120;
  const axis = draw("g", {});
  for (let t = 0; t <= duration; t += step) {
    const tick = draw("g", { class: "tick" });
    const label = t < 60 ? `${t}` : clock(t).slice(0, -2);
    tick.append(
      draw("line", { x1: x(t), x2: x(t), y1: top, y2: bottom + 4 }),
      draw("text", { x: Math.max(x(t), 8), y: bottom + 16 }, t === 0 ? "0 s" : label),
    );
    axis.append(tick);
  }
  return axis;
}

function drawFlag(flag, bottom) {
  const group = draw("g", { class: `flag ${flag.kind}` });
  const y = 12 + flag.row * FLAG_ROW;
  group.append(
    draw("line", { x1: flag.x, x2: flag.x, y1: y - 9, y2: bottom }),
    draw(
      "text",
      { x: flag.x + (flag.leftward ? -5 : 5), y, "text-anchor": flag.leftward ? "end" : "start" },
      flag.text,
    ),
  );
  return group;
}

/** A hesitation starts with silence: the box from its onset to the words after it. */
function drawHesitations(dialogue, x, y) {
  const group = draw("g", {});
  for (const event of dialogue.events.filter((e) => e.type === "hesitation_pause")) {
    const next = dialogue.utterances.find((u) => u.id === event.utterance);
    if (next && next.at_s[0] > event.onset_s) {
      const x0 = x(event.onset_s);
      group.append(
        draw("rect", { class: "hesitation", x: x0, y: y + 1, width: x(next.at_s[0]) - x0, height: LANE - 2 }),
      );
    }
  }
  return group;
}

function collide(utterances) {
  const others = utterances.filter((u) => u.speaker === "third_party");
  const users = utterances.filter((u) => u.speaker === "user");
  return others.some((o) => users.some((u) => o.at_s[0] < u.at_s[1] && u.at_s[0] < o.at_s[1]));
}

/** Draw one dialogue into `width` pixels or, where that is too narrow for its words, into more.
 *
 *  Gives the SVG, the middles of the lanes, `timeAt(event)` for a pointer and `moveTo(seconds)` for the playhead.
 */
function drawTimeline(dialogue, width) {
  const fit = (width - 2 * PAD) / dialogue.duration_s;
  const pxPerSecond = Math.min(MAX_PX_PER_S, Math.max(MIN_PX_PER_S, fit));
  const full = Math.round(dialogue.duration_s * pxPerSecond + 2 * PAD);
  const x = (seconds) => PAD + seconds * pxPerSecond;
  const { flags, rows } = placeFlags(dialogue, x, full);
  const top = rows * FLAG_ROW + 8;
  const second = top + LANE + LANE_GAP;
  const bottom = second + LANE;
  const svg = draw("svg", { width: full, height: bottom + AXIS, "aria-hidden": "true" });
  for (const y of [top, second]) {
    svg.append(draw("rect", { class: "lane", x: PAD, y, width: full - 2 * PAD, height: LANE, rx: 5 }));
  }
  svg.append(drawAxis(dialogue.duration_s, x, pxPerSecond, top, bottom), drawHesitations(dialogue, x, top));
  const shared = collide(dialogue.utterances); /* Two people at once on the user's track: half a lane each. */
  const bars = dialogue.utterances.map((utterance) => {
    if (utterance.speaker === "assistant") return [utterance, x, second, LANE];
    const lower = shared && utterance.speaker === "third_party";
    return [utterance, x, lower ? top + LANE / 2 : top, shared ? LANE / 2 - 1 : LANE];
  });
  svg.append(...bars.map((bar) => drawBar(...bar)));
  for (const [start, end] of dialogue.overlaps_s) {
    svg.append(draw("rect", { class: "overlap", x: x(start), y: top, width: x(end) - x(start), height: bottom - top }));
  }
  svg.append(...flags.map((flag) => drawFlag(flag, bottom)), ...bars.map((bar) => drawBarText(...bar)));
  const playhead = draw("g", { class: "playhead", transform: `translate(${PAD} 0)` });
  playhead.append(
    draw("line", { x1: 0, x2: 0, y1: top - 4, y2: bottom + 4 }),
    draw("path", { d: `M-4 ${top - 8} h8 l-4 6 z`, stroke: "none" }),
  );
  svg.append(playhead);
  return {
    svg,
    lanes: [top + LANE / 2, second + LANE / 2],
    x,
    timeAt: (event) => (event.clientX - svg.getBoundingClientRect().left - PAD) / pxPerSecond,
    moveTo: (seconds) => playhead.setAttribute("transform", `translate(${x(seconds)} 0)`),
  };
}
