/* The list: a light shell per dialogue, drawn when it comes near the window. */

const DATA = JSON.parse(document.getElementById("data").textContent);
const ICONS = { play: "M3 1.5v13l11-6.5z", pause: "M3 1.5h3.6v13H3zM9.4 1.5H13v13H9.4z" };

/** The words of an utterance as elements that know when they are heard; what lies between stays plain. */
function wordsOf(utterance, timed) {
  const fragment = document.createDocumentFragment();
  let position = 0;
  for (const [text, start, end] of utterance.words) {
    const found = utterance.text.indexOf(text, position);
    if (found < 0) continue;
    fragment.append(utterance.text.slice(position, found));
    const element = make("span", "word", text);
    timed.push({ start, end, element });
    fragment.append(element);
    position = found + text.length;
  }
  fragment.append(utterance.text.slice(position));
  return fragment;
}

/** What was meant and never said: the rest of a broken sentence, then the sentences after it. */
function unsaidOf(dialogue, turn, last) {
  const rest = [];
  if (last.truncated) {
    const heard = last.planned_text.startsWith(last.text) ? last.text.length : 0;
    rest.push(last.planned_text.slice(heard).trim());
  }
  for (const one of dialogue.unsaid) if (one.turn === turn && !one.written) rest.push(one.text);
  return rest.filter(Boolean).join(dialogue.language === "zh" ? "" : " ");
}

/** How long the user waits for answers: each one, or from the shortest to the longest of many. */
function waits(dialogue) {
  const offsets = dialogue.response_offsets_s.map((s) => [s, s.toFixed(2).replace("-", "−")]);
  if (!offsets.length) return [];
  if (offsets.length < 4) return [`response ${offsets.map(([, text]) => text).join(", ")} s`];
  offsets.sort((a, b) => a[0] - b[0]);
  return [`${offsets.length} responses, ${offsets[0][1]} to ${offsets[offsets.length - 1][1]} s`];
}

function matches(dialogue, wanted) {
  if (["scene", "language", "split"].some((key) => wanted[key] && wanted[key] !== dialogue[key])) return false;
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const said = dialogue.utterances.map((u) => u.text).join(" ");
  const events = dialogue.events.map((e) => spell(e.type)).join(" ");
  const voices = dialogue.voices.map(([, voice]) => voice).join(" ");
  const all = [dialogue.id, dialogue.topic, dialogue.seed_id, spell(dialogue.scene), said, events, voices];
  const text = all.join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

class Card {
  constructor(dialogue, player) {
    this.dialogue = dialogue;
    this.player = player;
    this.position = 0;
    this.timed = [];
    this.timeline = null;
    this.element = make("article", "dialogue pending");
    this.element.setAttribute("aria-label", `${DATA.scenes[dialogue.scene].name}, ${dialogue.id}`);
    this.element.append(this.head());
  }

  head() {
    const { dialogue } = this;
    const head = make("div", "head");
    this.button = make("button", "play");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.player.toggle(this));
    this.showPlaying(false);
    const titles = make("div");
    const meta = make("p", "meta");
    meta.append(make("span", "mono", dialogue.id));
    const facts = [dialogue.language, dialogue.split, `overlap ${dialogue.overlap_ratio.toFixed(3)}`];
    for (const fact of [...facts, ...waits(dialogue)]) meta.append(make("span", "", fact));
    titles.append(make("h3", "", DATA.scenes[dialogue.scene].name), meta);
    this.clock = make("span", "clock", `${clock(0)} / ${clock(dialogue.duration_s)}`);
    head.append(this.button, titles, this.clock);
    return head;
  }

  /** Draw what is below the head, once. */
  open() {
    if (this.timeline) return;
    const { dialogue } = this;
    const about = make("p", "about");
    const topic = make("span", "", dialogue.topic);
    topic.lang = dialogue.language;
    about.append(topic, dialogue.topic ? " — " : "", DATA.scenes[dialogue.scene].summary);
    this.problem = make("p", "problem");
    this.problem.hidden = true;
    this.problem.setAttribute("role", "alert");
    this.chart = make("div", "chart");
    this.element.append(about, this.problem, this.chart, this.turns(), this.foot());
    this.redraw();
    this.element.classList.remove("pending");
  }

  /** The chart for the present width; the slider role makes it a control for keyboards and readers. */
  redraw() {
    const names = make("div", "lanes");
    this.scroll = make("div", "scroll");
    this.chart.replaceChildren(names, this.scroll);
    this.width = this.scroll.clientWidth;
    this.timeline = drawTimeline(this.dialogue, this.width);
    const { svg, lanes, timeAt } = this.timeline;
    ["user", "assistant"].forEach((name, lane) => {
      const label = make("span", "", name);
      label.style.top = `${lanes[lane] - 10}px`;
      names.append(label);
    });
    this.scroll.append(svg);
    this.scroll.tabIndex = 0;
    const labels = { role: "slider", "aria-label": "position", "aria-valuemin": 0, "aria-valuemax": this.dialogue.duration_s };
    for (const [key, value] of Object.entries(labels)) this.scroll.setAttribute(key, value);
    svg.addEventListener("click", (event) => this.player.seek(this, timeAt(event)));
    svg.addEventListener("mousemove", (event) => event.buttons === 1 && this.player.seek(this, timeAt(event)));
    this.show(this.position);
  }

  /** Draw again where the window's width changed, also while this card was filtered out. */
  fit() {
    if (this.timeline && this.scroll.clientWidth && this.scroll.clientWidth !== this.width) this.redraw();
  }

  turns() {
    const { dialogue } = this;
    const list = make("ol", "turns");
    const groups = new Map();
    for (const utterance of dialogue.utterances) {
      const key = `${utterance.turn} ${utterance.speaker}`;
      groups.set(key, [...(groups.get(key) || []), utterance]);
    }
    const items = new Map();
    for (const group of groups.values()) {
      items.set(group[0].turn, this.turn(group));
      list.append(items.get(group[0].turn));
    }
    for (const one of dialogue.unsaid.filter((u) => u.written)) {
      const before = items.get(one.turn) || items.get(one.turn - 1);
      const item = this.written(one);
      if (before) before.after(item);
      else list.append(item);
      items.set(one.turn, item);
    }
    this.timed.sort((a, b) => a.start - b.start);
    return list;
  }

  turn(group) {
    const { dialogue } = this;
    const [first, last] = [group[0], group[group.length - 1]];
    const item = make("li");
    const time = make("span", "time");
    const from = make("button", "link", clock(first.at_s[0]));
    from.type = "button";
    from.setAttribute("aria-label", `play from ${clock(first.at_s[0])}`);
    from.addEventListener("click", () => {
      this.player.seek(this, first.at_s[0]);
      this.player.play(this);
    });
    time.append(from);
    const said = make("span", "said");
    said.lang = dialogue.language;
    for (const utterance of group) {
      if (utterance !== first && dialogue.language !== "zh") said.append(" ");
      for (const event of dialogue.events.filter((e) => e.utterance === utterance.id)) {
        said.append(this.label("tag", spell(event.type)));
      }
      if (utterance.emotion && utterance.emotion !== "neutral") said.append(this.label("tag emotion", utterance.emotion));
      said.append(wordsOf(utterance, this.timed));
    }
    const unsaid = unsaidOf(dialogue, first.turn, last);
    if (unsaid) said.append(make("span", "torn-mark", "⌇"), make("span", "unsaid", unsaid));
    item.append(time, make("span", `who ${first.speaker}`, spell(first.speaker)), said);
    return item;
  }

  /** A response that is there to be read: nobody speaks it. */
  written(one) {
    const item = make("li", "written");
    const said = make("span", "said", one.text);
    said.lang = this.dialogue.language;
    item.append(make("span", "time", "text"), make("span", `who ${one.speaker}`, spell(one.speaker)), said);
    return item;
  }

  label(className, text) {
    const element = make("span", className, text);
    element.lang = "en";
    return element;
  }

  foot() {
    const foot = make("p", "foot");
    for (const [speaker, voice] of this.dialogue.voices) foot.append(make("span", "", `${spell(speaker)}: ${voice}`));
    foot.append(make("span", "", `from ${this.dialogue.seed_id}`), make("span", "", this.dialogue.licence));
    const file = make("a", "", "audio file");
    file.href = this.dialogue.audio;
    foot.append(file);
    return foot;
  }

  show(seconds) {
    this.position = seconds;
    this.clock.textContent = `${clock(seconds)} / ${clock(this.dialogue.duration_s)}`;
    if (!this.timeline) return;
    this.timeline.moveTo(seconds);
    this.scroll.setAttribute("aria-valuenow", seconds.toFixed(2));
    this.scroll.setAttribute("aria-valuetext", clock(seconds));
    for (const { start, end, element } of this.timed) {
      element.classList.toggle("now", this.player.card === this && start <= seconds && seconds < end);
    }
    const x = this.timeline.x(seconds);
    const { scrollLeft, clientWidth } = this.scroll;
    if (x < scrollLeft || x > scrollLeft + clientWidth - 20) this.scroll.scrollLeft = x - clientWidth / 4;
  }

  showPlaying(playing) {
    const icon = draw("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
    icon.append(draw("path", { d: playing ? ICONS.pause : ICONS.play }));
    this.button.replaceChildren(icon);
    this.button.setAttribute("aria-label", playing ? "pause" : "play");
  }

  showCurrent(current) {
    this.element.classList.toggle("current", current);
    if (!current) for (const { element } of this.timed) element.classList.remove("now");
  }

  showProblem() {
    this.open();
    this.problem.textContent = `${this.dialogue.audio} cannot be played: it is not beside this report, or not readable.`;
    this.problem.hidden = false;
  }
}

/** Filters, lazy drawing and keys. */
function startPage() {
  const list = document.getElementById("list");
  const form = document.getElementById("filters");
  const player = new Player();
  const cards = DATA.dialogues.map((dialogue) => new Card(dialogue, player));
  const byElement = new Map(cards.map((card) => [card.element, card]));
  list.append(...cards.map((card) => card.element));

  const near = new IntersectionObserver(
    (entries) => entries.filter((e) => e.isIntersecting).forEach((e) => byElement.get(e.target).open()),
    { rootMargin: "800px" },
  );
  cards.forEach((card) => near.observe(card.element));

  const visible = () => cards.filter((card) => !card.element.hidden);
  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    for (const card of cards) card.element.hidden = !matches(card.dialogue, wanted);
    const count = visible().length;
    document.getElementById("count").textContent = `${count} shown`;
    document.getElementById("none").hidden = count > 0;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", () => {
    form.reset();
    filter();
  });
  for (const button of document.querySelectorAll("button[data-scene]")) {
    button.addEventListener("click", () => {
      form.reset();
      for (const key of ["scene", "language", "split"]) form.elements[key].value = button.dataset[key];
      filter();
      form.scrollIntoView();
    });
  }
  filter(); /* A reloaded page keeps the values of its form. */

  const resized = new ResizeObserver((entries) => entries.forEach((e) => byElement.get(e.target).fit()));
  cards.forEach((card) => resized.observe(card.element));
  document.addEventListener("keydown", (event) => handleKey(event, { form, player, byElement, visible }));
}

/** Space and arrows belong to the card that has the focus, else to the one that was heard last. */
function handleKey(event, { form, player, byElement, visible }) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, summary")) return;
  const shown = visible();
  const focused = byElement.get(target.closest(".dialogue"));
  const card = focused || (player.card && shown.includes(player.card) ? player.card : shown[0]);
  if (key === "/") form.elements.text.focus();
  else if (!card) return;
  else if (key === " " && !target.closest("button, a")) player.toggle(card);
  else if ((key === "ArrowLeft" || key === "ArrowRight") && !target.closest(".table-frame")) {
    player.seek(card, card.position + (key === "ArrowLeft" ? -1 : 1));
  } else if (key === "Home" && target === card.scroll) player.seek(card, 0);
  else if (key === "End" && target === card.scroll) player.seek(card, card.dialogue.duration_s);
  else if (key === "j" || key === "k" || (target === card.scroll && /^Arrow(Up|Down)$/.test(key))) {
    const step = key === "j" || key === "ArrowDown" ? 1 : -1;
    const next = focused || player.card ? shown[shown.indexOf(card) + step] : card;
    if (next) {
      next.open();
      next.scroll.focus({ preventScroll: true });
      next.element.scrollIntoView({ block: "start" });
    }
  } else return;
  event.preventDefault();
}

if (document.getElementById("list")) startPage();
