// The page to ask on. All text of documents and answers is put in as text nodes, never as markup.

const at = (id) => document.getElementById(id);
const COLOURS = 6;
let token = sessionStorage.getItem("token") ?? "";
let base = "";
let writable = false;
let running = null;

/** An element with properties and children; a string becomes text. */
function make(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

const say = (text) => { at("status").textContent = text; };
const percent = (share) => `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;

/** A request to this server; its failure is thrown with the server's message. */
async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  if (typeof options.body === "string") headers.set("Content-Type", "application/json");
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  at("door").hidden = response.status !== 401;
  throw new Error(told?.error?.message ?? `the server answered ${response.status}`);
}

const json = async (path, options) => (await call(path, options)).json();
const keyPath = (key) => key.split("/").map(encodeURIComponent).join("/");

/** Runs what a click or a form starts, and shows its failure. */
const doing = (work) => async (event) => {
  event?.preventDefault();
  try { await work(event); } catch (error) { if (error.name !== "AbortError") say(error.message); }
};

// Parts

for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", doing(async () => {
    for (const other of document.querySelectorAll("nav button")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "page");
    for (const part of document.querySelectorAll("main > section")) part.hidden = part.id !== button.dataset.part;
    say("");
    if (button.dataset.part === "documents") await list(true);
    if (button.dataset.part === "index") await stat();
  }));
}

// Asking

at("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); at("question-form").requestSubmit(); }
});
at("stop").addEventListener("click", () => running?.abort());

at("question-form").addEventListener("submit", doing(async () => {
  running?.abort();
  running = new AbortController();
  for (const id of ["answer", "sources", "token-table"]) at(id).replaceChildren();
  at("why").textContent = "";
  at("tokens").hidden = true;
  at("stop").hidden = false;
  say("Reading the passages …");
  const body = { query: at("question").value, k: Number(at("k").value), mode: at("mode").value };
  if (at("filter").value.trim()) body.filter = at("filter").value;
  try {
    const response = await call(`${base}/ask`, {
      method: "POST", body: JSON.stringify(body), headers: { Accept: "text/event-stream" }, signal: running.signal,
    });
    for await (const [kind, data] of events(response.body)) {
      if (kind === "token") at("answer").append(data.text);
      if (kind === "error") throw new Error(data.error.message);
      if (kind === "answer") { say(""); show(data.answers ?? [data]); }
    }
  } catch (error) {
    if (error.name === "AbortError") say("Stopped."); else throw error;
  } finally {
    at("stop").hidden = true;
  }
}));

/** The events of a stream: their names and data. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    const whole = waiting.split("\n\n");
    waiting = whole.pop();
    for (const event of whole) {
      const field = (name) => event.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      yield [field("event"), JSON.parse(field("data"))];
    }
  }
}

/** The part of a text between two places counted in bytes. */
function slice(bytes, from, to) {
  return new TextDecoder().decode(bytes.subarray(from, to));
}

function show(answers) {
  at("answer").replaceChildren();
  for (const answer of answers) showOne(answer, answers.length > 1);
}

function showOne(answer, hasQuestion) {
  const colour = new Map(answer.citations.map((citation, number) => [citation.passage, number % COLOURS]));
  const shown = make("p");
  if (hasQuestion) at("answer").append(make("p", { className: "soft" }, answer.question));
  if (answer.no_answer) {
    shown.append("No answer.");
    const nearest = answer.alternatives[0]?.text;
    at("why").textContent = `${reason(answer.withheld)}${nearest ? ` What came nearest: “${nearest}”` : ""}`;
  } else {
    const bytes = new TextEncoder().encode(answer.answer);
    let done = 0;
    for (const span of answer.spans) {
      shown.append(slice(bytes, done, span.range[0]));
      const source = span.sources.find((passage) => colour.has(passage));
      shown.append(source === undefined ? span.text : clause(span, source, colour.get(source)));
      [, done] = span.range;
    }
    shown.append(slice(bytes, done, bytes.length));
    at("why").textContent = `Probability of this answer ${percent(answer.probability)}` +
      (answer.confidence === null ? "." : `; of answers like it, ${percent(answer.confidence)} are right.`);
  }
  at("answer").append(shown);
  sources(answer, colour);
  tokens(answer);
}

/** A clause of the answer: hovered or focused, it lights its passage; clicked, it leads there. */
function clause(span, source, colour) {
  const made = make("button", { type: "button", className: `clause c${colour}` }, span.text);
  made.setAttribute("aria-describedby", `source-${source}`);
  const light = (on) => at(`source-${source}`)?.classList.toggle("lit", on);
  for (const kind of ["pointerenter", "focus"]) made.addEventListener(kind, () => light(true));
  for (const kind of ["pointerleave", "blur"]) made.addEventListener(kind, () => light(false));
  made.addEventListener("click", () => at(`open-${source}`)?.click());
  return made;
}

function reason(withheld) {
  if (!withheld) return "Nothing was found to answer from.";
  const number = (value) => Number(value).toFixed(2);
  switch (withheld.by) {
    case "no_answer_threshold":
      return `The score for “no answer”, ${number(withheld.score)}, is above ${number(withheld.threshold)}.`;
    case "min_probability":
      return `The probability that it is right, ${number(withheld.probability)}, is below ${number(withheld.min_probability)}.`;
    case "min_evidence": return `The evidence, ${number(withheld.log_ratio)} nats, is too little.`;
    case "no_answer_likelier": return "“No answer” is more probable than any answer.";
    default: return "Nothing was found to answer from.";
  }
}

/** A bar for a probability, with its number beside. */
function bar(share, about) {
  const made = make("progress", { max: 1, value: share });
  made.setAttribute("aria-label", about);
  return make("span", {}, made, ` ${percent(share)}`);
}

function sources(answer, colour) {
  const cited = new Map(answer.citations.map((citation) => [citation.passage, citation]));
  const order = answer.passages.map((_, passage) => passage)
    .sort((a, b) => answer.passages[b].posterior - answer.passages[a].posterior);
  at("sources").append(make("h2", {}, answer.no_answer ? "Nearest passages" : "Passages"));
  for (const number of order) {
    const passage = answer.passages[number];
    const citation = cited.get(number);
    const hue = colour.get(number);
    const card = make("article", { id: `source-${number}`, className: `card ${hue === undefined ? "none" : `b${hue}`}` });
    const range = citation?.range ?? passage.range;
    const open = make("button", { type: "button", id: `open-${number}` }, "Open");
    open.setAttribute("aria-label", `Open ${passage.document}`);
    open.addEventListener("click", doing(() => read(passage.document, range, citation?.quote)));
    card.append(make("strong", {}, passage.title || passage.document), " ", open);
    card.append(make("div", { className: "soft" }, `${passage.document}, bytes ${range[0]}–${range[1]}`,
      passage.heading ? `, ${passage.heading}` : ""));
    if (citation) card.append(make("blockquote", {}, citation.quote));
    card.append(make("div", { className: "soft" }, "posterior ", bar(passage.posterior, `Posterior of ${passage.document}`),
      ` prior ${percent(passage.prior)}`));
    at("sources").append(card);
  }
}

function tokens(answer) {
  if (!answer.tokens.length) return;
  at("tokens").hidden = false;
  const head = make("tr", {}, make("th", { scope: "col" }, "token"), make("th", { scope: "col" }, "log p"),
    ...answer.passages.map((_, number) => make("th", { scope: "col" }, `p${number + 1}`)));
  const rows = answer.tokens.map((token) => make("tr", {}, make("th", { scope: "row" }, token.text || "–"),
    make("td", {}, token.log_prob.toFixed(2)),
    ...token.posterior.map((share, number) => make("td", {}, bar(share, `Passage ${number + 1}`)))));
  at("token-table").append(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

/** Shows a document, with the words of a citation highlighted. */
async function read(key, range, quote) {
  const found = await json(`${base}/documents/${keyPath(key)}`);
  at("reader-title").textContent = found.title || key;
  const bytes = new TextEncoder().encode(found.text);
  let [from, to] = range ?? [0, 0];
  // Ranges are of the original: of HTML that is not the text, and the quote says where.
  if (quote && slice(bytes, from, to) !== quote) {
    const place = found.text.indexOf(quote);
    from = place < 0 ? 0 : new TextEncoder().encode(found.text.slice(0, place)).length;
    to = place < 0 ? 0 : from + new TextEncoder().encode(quote).length;
  }
  const words = make("mark", { id: "quote" }, slice(bytes, from, to));
  at("text").replaceChildren(slice(bytes, 0, from), words, slice(bytes, to, bytes.length));
  at("reader").showModal();
  words.scrollIntoView({ block: "center" });
}
at("close").addEventListener("click", () => at("reader").close());

// Documents

let next = null;

async function list(isNew) {
  const prefix = encodeURIComponent(at("prefix").value);
  const cursor = isNew || !next ? "" : `&cursor=${next}`;
  const page = await json(`${base}/documents?limit=50&prefix=${prefix}${cursor}`);
  if (isNew) at("list").replaceChildren();
  for (const found of page.documents) {
    const open = make("button", { type: "button" }, "Open");
    open.setAttribute("aria-label", `Open ${found.document}`);
    open.addEventListener("click", doing(() => read(found.document)));
    const actions = make("td", {}, open);
    if (writable) {
      const remove = make("button", { type: "button" }, "Remove");
      remove.setAttribute("aria-label", `Remove ${found.document}`);
      remove.addEventListener("click", doing(async () => {
        if (remove.textContent === "Remove") { remove.textContent = "Really remove"; return; }
        await call(`${base}/documents/${keyPath(found.document)}`, { method: "DELETE" });
        say(`${found.document} is removed.`);
        await list(true);
      }));
      actions.append(" ", remove);
    }
    at("list").append(make("tr", {}, make("th", { scope: "row" }, found.document), make("td", {}, found.title),
      make("td", {}, String(found.bytes)), actions));
  }
  next = page.next;
  at("more").hidden = !next;
  if (!at("list").childElementCount) say("There is no such document.");
}
at("more").addEventListener("click", doing(() => list(false)));
at("list-form").addEventListener("submit", doing(() => list(true)));

async function upload(files) {
  for (const file of files) {
    const form = new FormData();
    form.append("file", file, file.name);
    const line = make("p", { className: "soft" }, `${file.name}: sending …`);
    at("uploads").append(line);
    try {
      let job = await json(`${base}/documents`, { method: "POST", body: form });
      while (job.state === "waiting" || job.state === "running") {
        line.textContent = `${file.name}: ${job.passages_embedded} passages …`;
        await new Promise((done) => setTimeout(done, 200));
        job = await json(`${base}/jobs/${job.id}`);
      }
      const skipped = job.report?.skipped ?? [];
      line.textContent = job.error ? `${file.name}: ${job.error}` : `${file.name}: ${job.report.added} added, ` +
        `${job.report.replaced} replaced, ${job.report.unchanged} unchanged, ${job.report.passages} passages`;
      for (const skip of skipped) line.append(make("span", { className: "bad" }, `; skipped: ${skip.error}`));
    } catch (error) {
      line.textContent = `${file.name}: ${error.message}`;
    }
  }
  await list(true);
}
at("files").addEventListener("change", doing(() => upload(at("files").files)));
for (const kind of ["dragover", "dragleave", "drop"]) {
  at("drop").addEventListener(kind, doing((event) => {
    at("drop").classList.toggle("over", kind === "dragover");
    return kind === "drop" ? upload(event.dataTransfer.files) : undefined;
  }));
}

// Index

async function stat() {
  const counts = await json(`${base}/stat`);
  at("stat").replaceChildren(...Object.entries(counts).map(([name, value]) => make("tr", {},
    make("th", { scope: "row" }, name.replaceAll("_", " ")),
    make("td", {}, value === null ? "–" : typeof value === "number" ? value.toLocaleString() : String(value)))));
}

// Databases

let databases = [];

function choose(named, isFirst) {
  base = isFirst ? "" : `/db/${encodeURIComponent(named.name)}`;
  writable = named.writable;
  at("drop").hidden = !writable;
  at("generator").textContent = named.generator;
}

async function enter() {
  databases = (await json("/databases")).databases;
  at("door").hidden = true;
  at("which").hidden = databases.length < 2;
  at("database").replaceChildren(...databases.map(({ name }) => make("option", { value: name }, name)));
  choose(databases[0], true);
  say(databases[0].published ? "Another process has the database open; what it published is shown." : "");
}
at("database").addEventListener("change", () => {
  const chosen = at("database").selectedIndex;
  choose(databases[chosen], chosen === 0);
});
at("door").addEventListener("submit", doing(async () => {
  token = at("token").value;
  sessionStorage.setItem("token", token);
  await enter();
}));
doing(enter)();
