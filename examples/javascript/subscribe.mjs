// Prints what a running `streamer listen` reports: node subscribe.mjs [ADDRESS [TOPIC...]]
// The format is specified in docs/wire.md.
import { Subscriber } from "zeromq";

const WIRE_VERSION = 1;
const [address = "tcp://127.0.0.1:7765", ...topics] = process.argv.slice(2);

// "gate" means "gate/" of every stream. ZeroMQ takes every subscription as a prefix, but "gate/mic" must match exactly.
const filters = topics.map((topic) => (topic.includes("/") ? topic : `${topic}/`));
const wanted = (topic) =>
  filters.length === 0 ||
  filters.some((filter) => (filter.endsWith("/") ? topic.startsWith(filter) : topic === filter));

const last = new Map(); // by topic, the last message of each label
let lost = 0;

// Returns whether the message was not received before, and counts the messages lost before it.
function isNew(event, topic) {
  if (!last.has(topic)) last.set(topic, new Map());
  const known = last.get(topic);
  const label = event.label ?? "";
  const furthest = [...known.values()].reduce((a, b) => (a && a.seq > b.seq ? a : b), undefined);
  // A replay repeats the last message of its label; other labels of its topic may have newer messages.
  const before = event.replay ? known.get(label) : furthest;
  if (before) {
    const same = ["epoch", "seq", "start", "stop", "time"].every((key) => event[key] === before[key]);
    if (event.replay && same) return false;
    const startedAgain = event.seq <= before.seq || event.stop < before.stop;
    if (startedAgain) known.clear();
    else lost += Math.max(0, event.seq - furthest.seq - 1);
  }
  known.set(label, event);
  return true;
}

// A copy, because a Float32Array must begin at a multiple of four bytes.
const floats = (payload) => new Float32Array(new Uint8Array(payload).buffer);

function content(event, payload) {
  switch (event.kind) {
    case "gate":
    case "sound":
    case "genre":
    case "taught":
    case "voice":
      return `${event.state} ${event.label} ${event.score.toFixed(2)}`;
    case "scores":
      return Object.entries(event.heads).map(([head, scores]) => `${head}: ${Object.keys(scores)[0]}`).join(" ");
    case "level":
      return `${event.rms_dbfs.toFixed(1)} dBFS`;
    case "spectrum":
      return `${event.shape.join(" x ")} peak ${Math.max(...floats(payload)).toFixed(2)}`;
    case "stem":
      return `${event.label} peak ${Math.max(...floats(payload).map(Math.abs)).toFixed(2)}`;
    case "status":
      return `${event.state} ${event.message}`;
    default:
      return "(a kind that this version does not know)";
  }
}

const socket = new Subscriber();
socket.connect(address);
socket.subscribe(...(filters.length ? filters : [""]));
process.once("SIGINT", () => {
  console.log(`${lost} messages lost`);
  socket.close();
});

for await (const [topicFrame, header, payload] of socket) {
  const topic = topicFrame.toString();
  const event = JSON.parse(header);
  if (event.v !== WIRE_VERSION) {
    throw new Error(`got wire version ${event.v}; this program reads version ${WIRE_VERSION}`);
  }
  if (wanted(topic) && isNew(event, topic)) {
    const time = (event.stop / event.rate).toFixed(2).padStart(9);
    console.log(`${time} s  ${topic}  ${content(event, payload)}`);
  }
}
