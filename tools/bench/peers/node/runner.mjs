// Runs one handler in a fresh process, as Lambda does, and measures what it costs: the counterpart of
// tools/bench/runner.py.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const wall = () => performance.now() / 1e3;

// Linux; resourceUsage() would include the parent's.
const peakKib = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "ascii"))[1]);

const startCpu = cpu();
const plan = JSON.parse(readFileSync(0, "utf8"));
const beforeCpu = cpu();
const { handler } = await import(pathToFileURL(process.argv[2]));
const readyCpu = cpu();
const response = await handler(plan.event, {});
const firstCpu = cpu();
for (let i = 0; i < plan.warm_up; i += 1) await handler(plan.event, {});
const warmCpu = [];
const warmWall = [];
for (let i = 0; i < plan.requests; i += 1) {
  const startedCpu = cpu();
  const startedWall = wall();
  await handler(plan.event, {});
  warmCpu.push(cpu() - startedCpu);
  warmWall.push(wall() - startedWall);
}
const measured = {
  response,
  start_cpu: startCpu,
  init_cpu: readyCpu - beforeCpu,
  first_cpu: firstCpu - readyCpu,
  warm_cpu: warmCpu,
  warm_wall: warmWall,
  peak_kib: peakKib(),
  modules: [],
  late_modules: [],
};
writeFileSync(plan.result, JSON.stringify(measured));
process.exit(0);
