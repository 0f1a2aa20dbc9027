/* One audio element for the whole page, so that only one dialogue is ever heard. */

class Player {
  constructor() {
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.card = null;
    this.wanted = null; /* Where to start as soon as the file's length is known. */
    this.audio.addEventListener("loadedmetadata", () => {
      if (this.wanted !== null) this.audio.currentTime = this.wanted;
      this.wanted = null;
    });
    this.audio.addEventListener("play", () => this.follow());
    for (const name of ["play", "pause", "ended"]) {
      this.audio.addEventListener(name, () => this.card && this.card.showPlaying(!this.audio.paused));
    }
    this.audio.addEventListener("seeked", () => this.report());
    this.audio.addEventListener("pause", () => this.report());
    this.audio.addEventListener("error", () => this.card && this.card.showProblem());
  }

  /** Make a card the one that is heard. */
  select(card) {
    if (this.card === card) return;
    this.audio.pause();
    if (this.card) {
      this.card.showPlaying(false);
      this.card.showCurrent(false);
    }
    this.card = card;
    card.showCurrent(true);
    this.wanted = card.position;
    this.audio.src = card.dialogue.audio;
  }

  toggle(card) {
    if (this.card === card && !this.audio.paused) this.audio.pause();
    else this.play(card);
  }

  play(card) {
    this.select(card);
    this.audio.play().catch((problem) => {
      /* A pause or another file overtook it: nothing is wrong. */
      if (problem.name !== "AbortError") card.showProblem();
    });
  }

  seek(card, seconds) {
    const at = Math.min(Math.max(seconds, 0), card.dialogue.duration_s);
    card.show(at);
    if (this.card !== card) return;
    if (this.audio.readyState > 0) this.audio.currentTime = at;
    else this.wanted = at;
  }

  report() {
    if (this.card && this.wanted === null) this.card.show(this.audio.currentTime);
  }

  /** Move the playhead with the sound, once per frame. */
  follow() {
    if (this.audio.paused) return;
    this.report();
    requestAnimationFrame(() => this.follow());
  }
}
