// From the runs of sync.mjs to a page: medians, ratios, and for each aim whether the measurements meet it.

const at = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

/** The median of one number over the runs of a server in a scenario; undefined when there is none. */
function middle(runs, median, scenario, server, path) {
  const numbers = (runs[scenario]?.[server] ?? []).map((run) => at(run, path)).filter((number) => typeof number === "number");
  return numbers.length ? median(numbers) : undefined;
}

const PEERS = ["hocuspocus", "y-websocket", "y-sweet"];

/** Every aim: what it is, what was measured, and whether that is enough. `met` is undefined when nothing was measured. */
export function aims(runs, median) {
  const ours = (scenario, path) => middle(runs, median, scenario, "watersmeet", path);
  const ratio = (scenario, path) => {
    const best = Math.max(...PEERS.map((peer) => middle(runs, median, scenario, peer, path) ?? 0));
    const own = ours(scenario, path);
    return own === undefined || best <= 0 ? undefined : own / best;
  };
  const cheaper = (scenario) => {
    const path = "cpu_us_per_delivery";
    const costs = PEERS.map((peer) => middle(runs, median, scenario, peer, path)).filter((cost) => cost > 0);
    const own = ours(scenario, path);
    return own > 0 && costs.length ? Math.min(...costs) / own : undefined;
  };
  const sum = (scenario, path) => {
    const all = runs[scenario]?.watersmeet?.map((run) => at(run, path));
    return all?.reduce((total, number) => total + number, 0);
  };
  const most = (what, value, bound, unit) => ({ what, aim: `at most ${bound} ${unit}`.trim(), value, unit, met: value === undefined ? undefined : value <= bound });
  const least = (what, value, bound) => ({ what, aim: `at least ${bound} times the best peer`, value, unit: "times", met: value === undefined ? undefined : value >= bound });
  return [
    least("deliveries per second per core, 50 editors on one page", ratio("page", "deliveries_per_cpu_second"), 4),
    least("deliveries per second per core, two editors per page", ratio("pairs", "deliveries_per_cpu_second"), 3),
    { ...least("CPU per delivered edit, two editors per page at a fixed pace: the best peer's beside ours", cheaper("paced"), 3), aim: "at most a third of the best peer's" },
    most("durable acknowledgement, p50, 100 editors", ours("hundred", "ack_ms.p50"), 5, "ms"),
    most("durable acknowledgement, p99, 100 editors", ours("hundred", "ack_ms.p99"), 25, "ms"),
    most("key to other screen, p99, 100 editors", ours("hundred", "seen_ms.p99"), 40, "ms"),
    most("key to other screen, p99, 500 editors", ours("fivehundred", "seen_ms.p99"), 150, "ms"),
    most("presence of 500 people at 10 Hz", ours("presence", "cores"), 0.1, "cores"),
    most("150 joins of a 4 MB page, time", ours("joins", "seconds"), 1.5, "s"),
    most("150 joins of a 4 MB page, extra memory", ours("joins", "extra_mb"), 50, "MB"),
    most("idle connection", ours("idle", "bytes_per_connection"), 8_192, "bytes"),
    most("open page, bytes for each encoded byte", ours("large", "bytes_per_state_byte"), 1.2, ""),
    most("acknowledged edits lost by `kill -9`", sum("loss", "lost"), 0, ""),
  ];
}

const figure = (number) => {
  if (number === undefined || number === null || Number.isNaN(number)) return "–";
  if (number === 0) return "0";
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : Math.abs(number) >= 1 ? 2 : 3;
  return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** Columns of each scenario: what they are called and which number they show. */
const COLUMNS = {
  page: [["deliveries per second per core", "deliveries_per_cpu_second"], ["CPU per edit, µs", "cpu_us_per_update"], ["CPU per delivery, µs", "cpu_us_per_delivery"]],
  pairs: [["deliveries per second per core", "deliveries_per_cpu_second"], ["CPU per delivery, µs", "cpu_us_per_delivery"]],
  paced: [["CPU per delivery, µs", "cpu_us_per_delivery"], ["acknowledged p50, ms", "ack_ms.p50"], ["p99", "ack_ms.p99"]],
  hundred: [["acknowledged p50, ms", "ack_ms.p50"], ["p99", "ack_ms.p99"], ["seen p50, ms", "seen_ms.p50"], ["p99", "seen_ms.p99"], ["cores", "cores"]],
  fivehundred: [["acknowledged p50, ms", "ack_ms.p50"], ["p99", "ack_ms.p99"], ["seen p50, ms", "seen_ms.p50"], ["p99", "seen_ms.p99"], ["cores", "cores"]],
  presence: [["cores", "cores"], ["changes told per second", "told_per_second"]],
  active: [["cores", "cores"], ["seen p99, ms", "seen_ms.p99"]],
  idle: [["bytes per connection", "bytes_per_connection"]],
  large: [["bytes for each encoded byte", "bytes_per_state_byte"]],
  joins: [["seconds", "seconds"], ["CPU seconds", "cpu_seconds"], ["extra memory, MB", "extra_mb"]],
  typing: [["CPU per edit, µs", "cpu_us_per_delivery"], ["acknowledged p50, ms", "ack_ms.p50"], ["p99", "ack_ms.p99"]],
  cold: [["seconds", "seconds"], ["encoded bytes", "state_bytes"], ["extra memory, MB", "extra_mb"]],
  loss: [["acknowledged", "acknowledged"], ["lost", "lost"]],
};

export function table({ date, runs, absent, servers, scenarios, versions, median, rounds }) {
  const lines = [
    `# ${date}: the sync engine and its peers`,
    "",
    `One run of \`node bench/sync.mjs\`: server on core 0, load on core 1, medians of up to ${rounds} rounds in which the servers take turns. Watersmeet's figures include the commit to disk before every`,
    "acknowledgement and every delivery; the peers keep edits in memory, except where a server is started anew, where those that can store do.",
    `Hocuspocus ${versions["@hocuspocus/server"]}, @y/websocket-server ${versions["@y/websocket-server"]}, y-sweet 0.9.1 (cargo). ${absent.length ? `Absent: ${absent.join("; ")}.` : ""}`.trim(),
    "",
    "## Aims",
    "",
    "| what | aim | measured | |",
    "|---|---|---|---|",
    ...aims(runs, median).map(({ what, aim, value, unit, met }) => `| ${what} | ${aim} | ${figure(value)} ${value === undefined ? "" : unit} | ${met === undefined ? "not measured" : met ? "met" : "**missed**"} |`.replace(/ +\|/g, " |")),
    "",
  ];
  for (const [scenario, columns] of Object.entries(COLUMNS)) {
    if (!runs[scenario]) continue;
    lines.push(`## ${scenarios[scenario].title}`, "", `| | ${columns.map(([name]) => name).join(" | ")} |`, `|---|${columns.map(() => "---").join("|")}|`);
    for (const [server, title] of Object.entries(servers)) {
      if (!runs[scenario][server]) continue;
      const cells = columns.map(([, path]) => figure(middle(runs, median, scenario, server, path)));
      lines.push(`| ${title} | ${cells.join(" | ")} |`);
    }
    lines.push("");
  }
  return lines.join("\n");
}
