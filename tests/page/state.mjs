// State as runs leave it, for feeds in the states that the page shows.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HOUR = 3_600_000;

export class State {
  constructor(folder, now = Date.now()) {
    this.folder = folder;
    this.now = now;
  }

  // The hour that contains the time so many hours ago.
  hour(ago) {
    return new Date(this.now - ago * HOUR).toISOString().slice(0, 13);
  }

  minutesAgo(minutes) {
    return new Date(this.now - minutes * 60_000).toISOString();
  }

  write(name, content) {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
  }

  // A feed that is up to date, with changes to its checkpoint and to its status.
  feed(name, { checkpoint = {}, status = {}, history = {} } = {}) {
    const feed = `${name}-message`;
    this.write(
      `checkpoints/${feed}.json`,
      JSON.stringify({ ...this.checkpoint(feed), ...checkpoint }),
    );
    const usual = this.status(feed);
    this.write(
      `status/${feed}.json`,
      JSON.stringify({ ...usual, ...status, history: { ...usual.history, ...history } }),
    );
  }

  checkpoint(feed) {
    return {
      version: 2,
      feed,
      writer: "97399883-64ff-4598-8998-93047cf58b79",
      sequence: 900,
      updated: this.minutesAgo(0),
      // Due hours are done, whatever the minute is.
      next_hour: this.hour(0),
      backlog: [],
      oldest_next: false,
      retry: [],
      believed: [],
      lost: [],
      kept_hours: 24,
      retention_hours: null,
      second: [this.hour(2), this.hour(1)],
      live: { ended: this.minutesAgo(3), end: "caught_up" },
      held: null,
      refusals: { clock: 0, accepted: 0, suspects: [] },
      newest: this.minutesAgo(1),
      told_from: this.hour(130),
      hour_rows: [],
    };
  }

  status(feed) {
    const hours = Array.from({ length: 120 }, (_, index) => {
      const ago = 119 - index;
      return {
        hour: this.hour(ago),
        runs: 12,
        events: 2400 + 31 * (ago % 7),
        delivered: 1200 + 15 * (ago % 7),
        duplicates: 1200,
        repaired: ago % 24 === 5 ? 40 : 0,
        lag_seconds: 30 + 25 * (ago % 5) + (ago === 30 ? 2400 : 0),
      };
    });
    return {
      version: 1,
      feed,
      cluster: "default",
      run: "97399883-64ff-4598-8998-93047cf58b79",
      finished: this.minutesAgo(3),
      seconds: 14.2,
      outcome: "up_to_date",
      code: null,
      failure: null,
      newest: this.minutesAgo(1),
      history: {
        first_hour: this.hour(130),
        last_success: this.minutesAgo(3),
        failures: [],
        hours,
      },
    };
  }

  // A TAP account that is up to date, with changes to its progress and to its status.
  account(name, { progress = {}, status = {}, calls = {} } = {}) {
    const feed = `${name}-tap`;
    const queue = { next: this.hour(0), unfinished: [] };
    this.write(
      `checkpoints/${feed}.json`,
      JSON.stringify({
        version: 1,
        feed,
        writer: "97399883-64ff-4598-8998-93047cf58b79",
        sequence: 900,
        updated: this.minutesAgo(3),
        progress: {
          current: { from: this.minutesAgo(500), to: this.minutesAgo(4) },
          next_current: this.minutesAgo(-2),
          settled: queue,
          false_positives: queue,
          window_seconds: 3600,
          current_fails: false,
          failures: 0,
          catch_up_not_before: null,
          throttle: null,
          lost: [],
          calls: {},
          ...progress,
        },
        refusals: {},
        told_from: this.hour(130),
        hour_rows: [],
      }),
    );
    this.write(
      `status/${feed}.json`,
      JSON.stringify({
        ...this.status(feed),
        newest: this.minutesAgo(4),
        calls: { used: 336, limit: 1800, waits_until: null, ...calls },
        ...status,
      }),
    );
  }

  // A TAP account whose calls others spend, with hours that wait and hours that are lost.
  throttled(name) {
    this.account(name, {
      progress: {
        settled: { next: this.hour(9), unfinished: [] },
        lost: [{ first: this.hour(90), last: this.hour(89) }],
      },
      status: {
        outcome: "failed",
        code: "PPS2108",
        failure: "the TAP API had too many calls and is left alone",
        newest: this.minutesAgo(400),
        history: { ...this.status(name).history, last_success: this.minutesAgo(400) },
      },
      calls: { used: 1290, waits_until: this.minutesAgo(-50) },
    });
  }

  // A feed whose token is refused.
  failing(name) {
    const reason =
      "Proofpoint refuses the token: the Log API answered 401. Create a key for PoD Logging and set ProofpointToken";
    this.feed(name, {
      checkpoint: { next_hour: this.hour(9), second: [], newest: this.minutesAgo(500) },
      status: { outcome: "failed", code: "PPS2002", failure: reason, newest: this.minutesAgo(500) },
      history: {
        last_success: this.minutesAgo(500),
        failures: [
          {
            code: "PPS2002",
            reason,
            first: this.minutesAgo(495),
            last: this.minutesAgo(3),
            runs: 99,
          },
        ],
      },
    });
  }

  // A feed that catches up after an outage, with hours that are read again, believed or lost.
  backlog(name) {
    const attempt = (ago, last_end, minutes) => ({
      hour: this.hour(ago),
      attempts: 3,
      empty_reads: 0,
      not_before: this.minutesAgo(-minutes),
      last_events: 800,
      last_end,
    });
    this.feed(name, {
      checkpoint: {
        backlog: [{ first: this.hour(60), last: this.hour(31) }],
        retry: [attempt(28, "cut", 10), attempt(20, { closed: 1011 }, 4)],
        believed: [attempt(18, { closed: null }, 600), attempt(17, "cut", 600)],
        lost: [this.hour(90), this.hour(89)],
      },
      status: { outcome: "unfinished" },
    });
    for (const [reason, digit] of [
      ["oversize", "1"],
      ["refused", "2"],
    ]) {
      this.write(`dead-letters/${reason}/${name}-message/${digit.repeat(32)}.json`, "{}\n");
    }
  }
}
