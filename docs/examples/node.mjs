#!/usr/bin/env node
// A node in JavaScript, for Node.js 20 with mosquitto-clients: node node.mjs HOST PORT NODE FILE [AREA]
// FILE has lines "sensor property unit time_ms value", and may grow between runs; exit code 0: all of it is committed.
// State in FILE.NODE.state: the last open term, the line after each of its batches, the lines known as committed.
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import readline from 'node:readline';

const [host, port, node, file, area = 'unknown'] = process.argv.slice(2), LINES = +process.env.LINES || 100;
const N = 2 ** 32, stateFile = `${file}.${node}.state`, log = (...x) => console.error(new Date().toISOString(), ...x);

// Node's crypto has no BLAKE2b with a digest of one byte.
const shard = name => execFileSync('b2sum', ['-l', '8'], { input: name }).toString()[0];

// the input: what each line holds, and whether it comes after a later time of its datastream (late) or repeats a time
const rows = [], seen = new Map(), sensors = {};
for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
  const [s, p, unit, t, v] = line.split(/\s+/), key = `${s} ${p}`, d = seen.get(key) ?? { max: -Infinity, all: new Set() };
  rows.push({ s, p, t: +t, v: +v, late: +t < d.max, repeat: d.all.has(+t) });
  seen.set(key, d); d.all.add(+t); d.max = Math.max(d.max, +t);
  (sensors[s] ??= {})[p] = unit;
}
const about = { area, sensors: Object.entries(sensors).map(([name, ps]) =>
  ({ name, properties: Object.entries(ps).map(([name, unit]) => ({ name, unit })) })) };

let state = { term: 0, ends: [], done: 0 }, open = false, committed = 0, next = 1, held = new Map(), credit = 1, timer;
try { state = JSON.parse(fs.readFileSync(stateFile)); } catch (e) { if (e.code !== 'ENOENT') throw e; }
function save() {
  const fd = fs.openSync(stateFile + '.new', 'w');
  fs.writeSync(fd, JSON.stringify(state)); fs.fsyncSync(fd); fs.closeSync(fd); fs.renameSync(stateFile + '.new', stateFile);
}
if (!state.pending && state.done >= rows.length) { log('nothing new'); process.exit(0); }

const child = {}, path = `${shard(node)}/${node}`, topic = kind => `city/v1/${kind}/${path}`, args = ['-h', host, '-p', port, '-q', '1'];
function start(what, more, out) { // a transport process; begun again when it ends
  const c = child[what] = spawn(what, [...args, ...more], { stdio: [what.endsWith('pub') ? 'pipe' : 'ignore', out ? 'pipe' : 'ignore', 'inherit'] });
  c.stdin?.on('error', () => {});
  if (out) readline.createInterface({ input: c.stdout }).on('line', out);
  c.on('exit', () => setTimeout(start, 1000, what, more, out));
}
const publish = text => child.mosquitto_pub.stdin.write(text + '\n');

function propose(above = 0) { // a new term, kept before it is said, so that a restart says the same one
  open = false;
  if (!state.pending || state.pending.term <= above) {
    const n = Math.floor(Math.max(state.term, above) / N) + 1;
    state.pending = { term: n * N + randomInt(N), about }; save();
  }
  const hello = () => publish(JSON.stringify({ hello: { node, ...state.pending, sent: Date.now() } }));
  clearInterval(timer); timer = setInterval(hello, 2000); hello();
}
function batch(seq, want_ack) {
  const columns = new Map(), obs = [];
  for (const { s, p, t, v, late, repeat } of rows.slice(seq > 1 ? state.ends[seq - 2] : state.base, state.ends[seq - 1])) {
    let c = columns.get(`${s} ${p} ${late}`);
    if (repeat) continue;
    if (!c || t <= c.t.at(-1)) { c = { s, p, t: [], v: [], ...(late && { late }) }; obs.push(c); columns.set(`${s} ${p} ${late}`, c); }
    c.t.push(t); c.v.push(v);
  }
  return JSON.stringify({ node, term: state.term, seq, oldest: committed + 1, sent: Date.now(), obs, want_ack });
}
function pump() { // as much as the credit allows, at least one
  for (let size = [...held.values()].reduce((a, b) => a + b, 0); next <= state.ends.length; next++) {
    const bytes = Buffer.byteLength(batch(next, true));
    if (held.size && size + bytes > credit) break;
    held.set(next, bytes); size += bytes; publish(batch(next, true));
  }
}
function retry(ms) { clearInterval(timer); timer = setInterval(() => { log('again from', committed + 1); held.clear(); next = committed + 1; pump(); }, ms); }
function ack(a) {
  if (a.reason) return a.node === node && log('REJECTED', JSON.stringify(a));
  if (!open && a.term === state.pending.term) { // ours is open: what the term before got decides where to go on
    const said = JSON.stringify(state.pending.about);
    if (a.prev_term === state.term && a.prev_committed) state.done = Math.max(state.done, state.ends[a.prev_committed - 1]);
    state = { term: a.term, base: state.done, done: state.done, ends: [] };
    for (let i = state.base; i < rows.length;) state.ends.push(i = Math.min(i + LINES, rows.length));
    save(); open = true; committed = 0; next = 1; held.clear();
    log('term', a.term, 'open, from line', state.base, 'of', rows.length, JSON.stringify(a));
    if (said !== JSON.stringify(about)) return propose();
    retry(a.retry);
  } else if (!open) { if (a.term > state.pending.term) propose(a.term); return; }
  else if (a.term !== state.term) return propose(a.term);
  credit = Math.min(a.credit, +process.env.CREDIT || Infinity);
  if (a.committed > committed) {
    for (; committed < a.committed; ) held.delete(++committed);
    next = Math.max(next, committed + 1); state.done = state.ends[committed - 1]; save(); retry(a.retry);
  }
  if (committed === state.ends.length) { log('all committed', committed, 'batches'); child.mosquitto_sub.kill(); process.exit(0); }
  pump();
}
start('mosquitto_sub', ['-t', topic('ack'), '-t', 'city/v1/rejected'], line => ack(JSON.parse(line)));
start('mosquitto_pub', ['-l', '-t', topic('obs')]);
propose();
