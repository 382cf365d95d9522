// The board's pointer and keyboard. A card is moved by dragging, by its menu, or by keys; each of them sends the same
// form, and the server alone decides. Without this script the menu is a page and everything else a plain form.
"use strict";

const main = document.getElementById("main");
const menu = document.getElementById("menu");
const said = document.getElementById("said");
const START_PX = 6;
const EDGE_PX = 56;

const columns = () => document.getElementById("columns");
const stages = () => [...columns().querySelectorAll(".stage")];
const tickets = (stage) => [...stage.querySelectorAll(".ticket")];
const nameOf = (ticket) => ticket.querySelector("h3").textContent.trim();

function say(words, values = {}) {
  said.textContent = words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// --- sending ---

function send(ticket, values) {
  const { back, csrf } = columns().dataset;
  const { code, version } = ticket.dataset;
  return htmx.ajax("POST", `/requests/board/${code}`, {
    source: columns(),
    target: "#desk",
    swap: "outerHTML",
    values: { version, back, csrf, ...values },
  });
}

function drop(ticket, stage) {
  if (ticket.closest(".stage") === stage) return;
  say(columns().dataset.dropped, { stage: stage.dataset.name });
  send(ticket, { do: "drop", to: stage.dataset.stage });
}

function mayAct() {
  if (!columns().dataset.readsOnly) return true;
  say(columns().dataset.nobody);
  return false;
}

// --- one stop for the Tab key, arrows from there ---

function rove(ticket, { focus = true } = {}) {
  for (const one of columns().querySelectorAll(".ticket")) {
    const is = one === ticket;
    one.tabIndex = is ? 0 : -1;
    for (const link of one.querySelectorAll("a")) link.tabIndex = is ? 0 : -1;
  }
  if (ticket && focus) {
    ticket.focus({ preventScroll: true });
    ticket.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function neighbour(ticket, key) {
  const stage = ticket.closest(".stage");
  const here = tickets(stage);
  const at = here.indexOf(ticket);
  if (key === "ArrowDown") return here[at + 1];
  if (key === "ArrowUp") return here[at - 1];
  if (key === "Home") return here[0];
  if (key === "End") return here.at(-1);
  const filled = stages().filter((one) => one === stage || tickets(one).length);
  const next = filled[filled.indexOf(stage) + (key === "ArrowRight" ? 1 : -1)];
  return next && tickets(next)[Math.min(at, tickets(next).length - 1)];
}

let carried = null;
let target = null;

function aim(stage) {
  target?.classList.remove("is-target");
  target = stage;
  target?.classList.add("is-target");
  target?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function putDown({ cancelled }) {
  const ticket = carried;
  const stage = target;
  carried = null;
  aim(null);
  ticket.classList.remove("is-carried");
  if (cancelled || stage === null || ticket.closest(".stage") === stage) {
    say(columns().dataset.cancelled, { name: nameOf(ticket) });
  } else drop(ticket, stage);
}

function carry(event, ticket) {
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const all = stages();
    const next = all[all.indexOf(target) + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) {
      aim(next);
      say(columns().dataset.over, { stage: next.dataset.name });
    }
  } else if (event.key === " " || event.key === "Enter") putDown({ cancelled: false });
  else if (event.key === "Escape") putDown({ cancelled: true });
  else if (event.key === "Tab") {
    putDown({ cancelled: true });
    return;
  }
  event.preventDefault();
}

function onKey(event) {
  const ticket = event.target.closest?.(".ticket");
  if (!ticket || event.ctrlKey || event.metaKey || event.altKey) return;
  if (carried === ticket) {
    carry(event, ticket);
    return;
  }
  // On a link inside the card only the arrows are ours.
  const onCard = event.target === ticket;
  if (["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
    const next = neighbour(ticket, event.key);
    if (next) rove(next);
  } else if (onCard && event.key === "Enter") ticket.querySelector("h3 a").click();
  else if (onCard && event.key.toLowerCase() === "m") {
    if (mayAct()) ticket.querySelector(".ticket-menu").click();
  } else if (onCard && event.key === " ") {
    if (mayAct()) {
      carried = ticket;
      ticket.classList.add("is-carried");
      aim(ticket.closest(".stage"));
      say(columns().dataset.picked, { name: nameOf(ticket) });
    }
  } else return;
  event.preventDefault();
}

// --- dragging ---

let drag = null;

function onDown(event) {
  const ticket = event.target.closest?.(".ticket");
  // A finger scrolls; it has the menu. Links and buttons stay what they are.
  if (!ticket || event.button !== 0 || event.pointerType === "touch" || event.target.closest("a, button")) return;
  if (columns().dataset.readsOnly) return;
  drag = { ticket, x: event.clientX, y: event.clientY, ghost: null, pointer: event.pointerId };
}

function lift(event) {
  drag.ghost = drag.ticket.cloneNode(true);
  drag.ghost.removeAttribute("id");
  drag.ghost.classList.add("ghost");
  drag.ghost.setAttribute("aria-hidden", "true");
  document.body.append(drag.ghost);
  getSelection().removeAllRanges();
  document.body.classList.add("is-dragging");
  drag.ticket.classList.add("is-carried");
  main.setPointerCapture(event.pointerId);
}

function onMove(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  if (!drag.ghost) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < START_PX) return;
    lift(event);
  }
  drag.ghost.style.transform = `translate(${event.clientX - 24}px, ${event.clientY - 18}px) rotate(1.5deg)`;
  const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".stage") ?? null;
  if (under !== target) {
    target?.classList.remove("is-target");
    target = under;
    target?.classList.add("is-target");
  }
  const box = columns().getBoundingClientRect();
  if (event.clientX > box.right - EDGE_PX) columns().scrollBy({ left: 14 });
  else if (event.clientX < box.left + EDGE_PX) columns().scrollBy({ left: -14 });
}

function endDrag({ cancelled }) {
  const { ticket, ghost } = drag;
  const stage = target;
  drag = null;
  if (!ghost) return;
  ghost.remove();
  document.body.classList.remove("is-dragging");
  ticket.classList.remove("is-carried");
  aim(null);
  if (!cancelled && stage) drop(ticket, stage);
}

// --- menu ---

async function openMenu(link) {
  await htmx.ajax("GET", link.href, { target: "#menu-body", swap: "innerHTML" });
  if (!menu.open) menu.showModal();
}

function onClick(event) {
  const link = event.target.closest?.(".ticket-menu");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openMenu(link);
}

// --- whether there is room: asked once the board stands ---

const MOST_JUDGED = 60;
const verdicts = new Map();

function showVerdict(ticket) {
  const { verdict, text } = verdicts.get(ticket.dataset.code) ?? {};
  if (!verdict || verdict === "not_known" || ticket.querySelector(".room")) return;
  const chip = document.createElement("span");
  chip.className = `chip room room-${verdict}`;
  chip.textContent = text;
  ticket.querySelector(".ticket-ask").append(" ", chip);
}

async function judge() {
  const asking = [...columns().querySelectorAll(".ticket[data-asks]")];
  const unknown = asking.filter((one) => !verdicts.has(one.dataset.code)).slice(0, MOST_JUDGED);
  if (unknown.length) {
    const query = new URLSearchParams(unknown.map((one) => ["code", one.dataset.code]));
    try {
      const answer = await fetch(`/requests/verdicts?${query}`, { cache: "no-store" });
      const told = answer.ok ? await answer.json() : {};
      for (const one of unknown) verdicts.set(one.dataset.code, told[one.dataset.code] ?? {});
    } catch {
      // Away: the cards are whole without it, and the next board asks again.
    }
  }
  asking.forEach(showVerdict);
}

// --- what came back ---

function settle(focused) {
  if (!columns()) return;
  const all = [...columns().querySelectorAll(".ticket")];
  const code = focused || document.getElementById("desk").dataset.focus;
  const found = code && document.getElementById(`card-${code}`);
  rove(found || all[0] || null, { focus: Boolean(found && focused) });
  judge();
}

function countDown() {
  for (const form of document.querySelectorAll(".undo[data-seconds]")) {
    const left = Number(form.dataset.seconds);
    form.dataset.seconds = String(left - 1);
    form.querySelector(".countdown").textContent = left > 0 ? `${left} s` : "";
    if (left > 0) continue;
    // What is done and cannot be taken back any more need not stay in the way.
    form.closest("#desk .flash-done")?.remove();
    form.remove();
  }
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "menu-body") {
    if (!menu.open) menu.showModal();
    return;
  }
  if (menu.open) menu.close();
  const told = document.querySelector("#desk > .flashes p");
  if (told) say(told.textContent);
  settle(document.getElementById("desk")?.dataset.focus);
});
document.addEventListener("click", (event) => event.target.closest?.(".flash-close")?.closest(".flash").remove());
document.addEventListener("htmx:sendError", () => location.reload());
main.addEventListener("keydown", onKey);
main.addEventListener("pointerdown", onDown);
main.addEventListener("pointermove", onMove);
main.addEventListener("pointerup", () => drag && endDrag({ cancelled: false }));
main.addEventListener("pointercancel", () => drag && endDrag({ cancelled: true }));
main.addEventListener("click", onClick);
document.addEventListener("keydown", (event) => event.key === "Escape" && drag && endDrag({ cancelled: true }));
main.addEventListener("focusin", (event) => {
  const ticket = event.target.closest?.(".ticket");
  if (ticket && ticket.tabIndex !== 0) rove(ticket, { focus: false });
});

countDown();
setInterval(countDown, 1000);
settle("");
