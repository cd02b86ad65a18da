"""Explorer of lesson 02: phasors that rotate, joined end to end; the height of the last tip draws the wave."""

import numpy as np
import traitlets
from anywidget import AnyWidget

from tad_course.display import plots
from tad_course.display.fallback import show_widget

PARTIALS = 32  # at most
KINDS = {
    "all 0": "all waves reach a top together, so the sum is a click",
    "sweep": "higher partials come later, evenly, so the sum is a sweep",
    "random": "the tops are scattered, so the sum is noise that repeats",
}


def partial_phases(kind: str, count: int) -> np.ndarray:
    """Return the phases `[count]` in radians of the partials 1 to `count`: "all 0", "sweep" or "random".

    The sweep's phase is -pi k^2 / count, so its slope delays partial k by k / count of the period.
    """
    k = np.arange(1, count + 1)
    if kind == "random":
        return np.random.default_rng(2).uniform(-np.pi, np.pi, PARTIALS)[:count]
    if kind not in KINDS:
        raise ValueError(f"There are no phases {kind!r}; choose one of: {', '.join(KINDS)}.")
    return np.zeros(count) if kind == "all 0" else -np.pi * k**2 / count


def tips(phases, t: float) -> np.ndarray:
    """Return where the arrows end `[count + 1]`, from the center on, as complex numbers; t is in periods.

    Arrow k has the length 1 / count, and its angle is 2 pi k t + phase.
    """
    k = np.arange(1, len(phases) + 1)
    return np.concatenate([[0], np.cumsum(np.exp(1j * (2 * np.pi * k * t + phases))) / len(phases)])


def wave(phases, points: int = 512) -> np.ndarray:
    """Return one period `[points]` of the sum of the partials: the real part of the last tip."""
    t = np.arange(points) / points
    k = np.arange(1, len(phases) + 1)[:, None]
    return np.cos(2 * np.pi * k * t + np.asarray(phases)[:, None]).mean(0)


# The real part points up, so that the last tip is as high as the wave. With reduced motion the time goes in jumps.
SCRIPT = """
function render({ model, el }) {
  const make = (tag, parent, text) => {
    const element = parent.appendChild(document.createElement(tag));
    if (text) element.append(text);
    return element;
  };
  const box = make("div", el), bar = make("div", box);
  box.className = "tad-phasor-explorer";
  bar.style.cssText = "display:flex;flex-wrap:wrap;gap:6px 18px;align-items:center;margin-bottom:4px";
  const play = make("button", bar, "Play");
  const slider = (name, min, max, step) => {
    const label = make("label", bar, name + " "), input = make("input", label), said = make("output", label);
    Object.assign(input, { type: "range", min, max, step });
    input.style.verticalAlign = "middle";
    return [input, said];
  };
  const [count, countSaid] = slider("partials", 1, model.get("most"), 1);
  const choice = make("select", make("label", bar, "phases "));
  for (const kind of Object.keys(model.get("kinds"))) make("option", choice, kind).value = kind;
  const [time, timeSaid] = slider("time", 0, 1, 0.005);
  play.type = "button";
  const canvas = make("canvas", box), pen = canvas.getContext("2d");
  const width = 900, height = 300, radius = 115, left = 150, middle = 150, start = 330, end = 880;
  const scale = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.cssText = "display:block;width:100%;max-width:900px;background:white";
  canvas.setAttribute("role", "img");
  pen.scale(scale, scale);
  pen.font = "15px sans-serif";

  let phases = [], now = 0, request = 0, last = 0, wait = 0;
  const angle = (i, t) => 2 * Math.PI * (i + 1) * t + phases[i];
  const stroke = (color, wide, points) => {
    pen.strokeStyle = color;
    pen.lineWidth = wide;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.stroke();
  };
  const sum = (t) => phases.reduce((total, _, i) => total + Math.cos(angle(i, t)), 0) / phases.length;
  const draw = () => {
    pen.clearRect(0, 0, width, height);
    let x = left, y = middle;
    const chain = [[x, y]], size = radius / phases.length;
    phases.forEach((_, i) => {
      if (phases.length <= 8) {
        pen.strokeStyle = "#BBBBBB";
        pen.lineWidth = 1;
        pen.beginPath();
        pen.arc(x, y, size, 0, 2 * Math.PI);
        pen.stroke();
      }
      x -= size * Math.sin(angle(i, now));
      y -= size * Math.cos(angle(i, now));
      chain.push([x, y]);
    });
    const points = [], at = start + now * (end - start);
    for (let n = 0; n <= 1000; n++) points.push([start + (n / 1000) * (end - start), middle - radius * sum(n / 1000)]);
    stroke("#888888", 1, [[start, middle], [end, middle]]);
    stroke("#0072B2", 2, points);
    pen.setLineDash([5, 4]);
    stroke("#D55E00", 1.5, [[x, y], [at, y]]);
    pen.setLineDash([]);
    stroke("#000000", 2, chain);
    pen.fillStyle = "#D55E00";
    for (const dot of [x, at]) {
      pen.beginPath();
      pen.arc(dot, y, 5, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.fillStyle = "#333333";
    pen.fillText("arrows, end to end", 20, 20);
    pen.fillText("their height: the sum of the waves, one period", start, 20);
    time.value = now;
    timeSaid.textContent = ` ${now.toFixed(2)} of a period`;
  };
  const update = () => {
    const kind = model.get("kind");
    phases = model.get("phases");
    count.value = phases.length;
    countSaid.textContent = " " + phases.length;
    choice.value = kind;
    canvas.setAttribute("aria-label", `${phases.length} partials, phases ${kind}: ${model.get("kinds")[kind]}.`);
    draw();
  };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const stop = () => {
    cancelAnimationFrame(request);
    clearInterval(wait);
    request = wait = 0;
    play.textContent = "Play";
  };
  const move = (ms) => {
    now = (now + (last ? Math.min(ms - last, 100) : 0) / 8000) % 1;
    last = ms;
    draw();
    request = requestAnimationFrame(move);
  };
  play.addEventListener("click", () => {
    if (request || wait) return stop();
    play.textContent = "Pause";
    last = 0;
    if (still.matches) wait = setInterval(() => { now = (now + 0.05) % 1; draw(); }, 1000);
    else request = requestAnimationFrame(move);
  });
  count.addEventListener("input", () => { model.set("partials", Number(count.value)); model.save_changes(); });
  choice.addEventListener("change", () => { model.set("kind", choice.value); model.save_changes(); });
  time.addEventListener("input", () => { stop(); now = Number(time.value) % 1; draw(); });
  model.on("change:phases", update);
  update();
  return () => {
    stop();
    model.off("change:phases", update);
  };
}
export default { render };
"""


class PhasorExplorer(AnyWidget):
    """Up to 32 phasors of equal length; the page draws them, Python computes their phases. Lesson: 02"""

    _esm = SCRIPT
    partials = traitlets.Int(5, min=1, max=PARTIALS).tag(sync=True)
    kind = traitlets.Enum(list(KINDS), "all 0").tag(sync=True)
    phases = traitlets.List(traitlets.Float()).tag(sync=True)
    kinds = traitlets.Dict(KINDS).tag(sync=True)
    most = traitlets.Int(PARTIALS).tag(sync=True)

    def __init__(self, kind: str = "all 0", partials: int = 5):
        super().__init__(kind=kind, partials=partials)
        self._follow()
        self.observe(lambda _: self._follow(), ["kind", "partials"])

    def _follow(self) -> None:
        self.phases = [float(phase) for phase in partial_phases(self.kind, self.partials)]


def still_html(count: int) -> str:
    """Return a figure as HTML: for each kind of phases the arrows at one moment, and the wave that they draw."""
    fig, axes = plots.figure(2, 3, 4.4, height_ratios=(1.7, 1))
    t = 0.03
    for (top, bottom), kind in zip(axes.T, KINDS, strict=True):
        phases = partial_phases(kind, count)
        arrows = tips(phases, t)
        top.plot(-arrows.imag, arrows.real, color="black", linestyle="-", marker="o", markersize=2.5)
        top.plot(-arrows[-1].imag, arrows[-1].real, color=plots.PALETTE[1], marker="o", markersize=7)
        top.set(title=f"phases {kind}", xlim=(-0.8, 0.4), ylim=(-0.4, 0.8), aspect="equal", xticks=[], yticks=[])
        bottom.plot(np.arange(512) / 512, wave(phases), linestyle="-")
        bottom.plot(t, arrows[-1].real, color=plots.PALETTE[1], marker="o", markersize=7)
        bottom.set(xlabel="time (periods)", ylim=(-1.05, 1.05), yticks=(-1, 0, 1))
    axes[1, 0].set_ylabel("sum of the waves")
    says = "; ".join(f"phases {kind}: {what}" for kind, what in KINDS.items())
    return plots.figure_html(fig, f"Arrows end to end, and below them the wave of their height. {says}.")


def phasor_explorer(kind: str = "all 0", partials: int = 5) -> None:
    """Show the phasors; where widgets cannot run, a still picture of the three kinds of phases. Lesson: 02"""
    text = "[explorer] rotating phasors and the wave that they draw: play, number of partials, phases, time."
    show_widget(PhasorExplorer(kind, partials), still_html(8), text)
