// Runs for each <audio class="tad-loop"> of the panel Play as soon as it is loaded (`audio` is the element).
//
// A browser's own <audio loop> pauses for some 10 to 100 ms at each end. So its sound is taken away from it and played
// from memory, where a loop has no seam; the element stays as the control: play, pause, volume. When the pattern changes
// while it plays, the new loop takes over at the same moment of the bar. Where none of this works, the element still does.
const root = audio.closest('.tad-play');
if (root && window.AudioContext) {
  const FADE_S = 0.005, AHEAD_S = 0.02, RATE = 44100; // at the loop's own rate nothing is resampled inside the loop
  const deck = (root.tadDeck ??= { context: new AudioContext({ sampleRate: RATE }), playing: false, voice: null });
  const context = deck.context;
  const since = (time) => (((time - deck.voice.start) / deck.voice.length_s) % 1 + 1) % 1; // 0 to 1: moment in the bar

  const level = () => deck.out.gain.setTargetAtTime(audio.muted ? 0 : audio.volume, context.currentTime, 0.01);

  const sound = async () => {
    const bytes = Uint8Array.from(atob(audio.src.split(',')[1]), (c) => c.charCodeAt(0));
    const buffer = await context.decodeAudioData(bytes.buffer);
    await context.resume();
    if (!deck.playing || deck.audio !== audio) return;
    const start = Math.ceil((context.currentTime + AHEAD_S) * RATE) / RATE, before = deck.voice;
    const first = Math.round((before ? since(start) : 0) * buffer.length) % buffer.length;
    const source = context.createBufferSource(), gain = context.createGain();
    source.buffer = buffer;
    source.loop = true;
    source.connect(gain).connect(deck.out);
    source.start(start, first / RATE);
    deck.voice = { source, gain, start: start - first / RATE, length_s: buffer.duration };
    if (before) {
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(1, start + FADE_S);
      silence(before, start);
    }
  };

  const silence = (voice, start) => {
    voice.gain.gain.setValueAtTime(1, start);
    voice.gain.gain.linearRampToValueAtTime(0, start + FADE_S);
    voice.source.stop(start + FADE_S);
  };

  const stop = () => {
    deck.playing = false;
    if (deck.voice) silence(deck.voice, context.currentTime);
    deck.voice = null;
    setTimeout(() => deck.playing || context.suspend(), 100);
  };

  const light = () => { // the step that is heard now
    if (!deck.playing || !root.isConnected) return delete root.dataset.now;
    if (deck.voice) {
      const pairs = since(context.currentTime - (context.outputLatency || 0)) * 8;
      root.dataset.now = 2 * Math.floor(pairs) + (pairs % 1 >= Number(deck.audio.dataset.swing) ? 1 : 0);
    }
    requestAnimationFrame(light);
  };

  if (!deck.out) {
    deck.out = context.createGain();
    deck.out.connect(context.destination);
    deck.none = context.createGain();
    deck.none.gain.value = 0;
    deck.none.connect(context.destination);
  }
  context.createMediaElementSource(audio).connect(deck.none); // its clock runs on, unheard
  audio.addEventListener('pointerdown', () => context.resume());
  audio.addEventListener('volumechange', level);
  audio.addEventListener('play', () => {
    const first = !deck.playing;
    deck.playing = true;
    sound();
    if (first) light();
  });
  audio.addEventListener('pause', () => { // also when the element makes way for the next one: then the bar goes on
    if (deck.audio === audio && (audio.isConnected || !root.isConnected)) stop();
  });

  const old = deck.audio;
  deck.audio = audio;
  if (old) {
    audio.volume = old.volume;
    audio.muted = old.muted;
  }
  if (deck.playing) {
    audio.currentTime = deck.voice ? since(context.currentTime) * audio.duration : 0;
    audio.play();
  }

  // The steps as a grid of keys: Tab goes from row to row, the arrows from step to step.
  if (!root.tadKeys) {
    root.tadKeys = true;
    root.dataset.lmSuppressShortcuts = 'true'; // or JupyterLab would take the arrows
    const steps = (row) => [...row.querySelectorAll('.tad-step')];
    const rows = () => [...root.querySelectorAll('.tad-row')].filter((row) => steps(row).length);
    const only = (button) => steps(button.closest('.tad-row')).forEach((b) => { b.tabIndex = b === button ? 0 : -1; });
    root.addEventListener('focusin', (event) => event.target.matches('.tad-step') && only(event.target));
    root.addEventListener('keydown', (event) => {
      if (!event.target.matches('.tad-step') || event.altKey || event.ctrlKey || event.metaKey) return;
      const all = rows(), y = all.indexOf(event.target.closest('.tad-row')), x = steps(all[y]).indexOf(event.target);
      const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key]
        ?? { Home: [-x, 0], End: [15 - x, 0] }[event.key] ?? [null, null];
      if (right === null) return;
      event.preventDefault();
      event.stopPropagation();
      steps(all[(y + down + all.length) % all.length])[(x + right + 16) % 16].focus();
    });
    const name = () => {
      rows().forEach((row) => { row.setAttribute('role', 'toolbar'); only(steps(row)[0]); });
      rows().forEach((row) => row.setAttribute('aria-label', row.dataset.name ?? steps(row)[0].title.split(',')[0]));
      if (rows().length < 4) setTimeout(name, 200);
    };
    name();
  }
}
