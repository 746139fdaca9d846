// Numbers and times as short words, as the command line spells them.

export const NOTHING = "–";

export function age(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return NOTHING;
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole}s`;
  const two = (value) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}`;
  if (whole < 172800) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}`;
  return `${Math.floor(whole / 86400)}d${two(Math.floor((whole % 86400) / 3600))}`;
}

// For where four letters fit: `44m` of `44m05`.
export const shortAge = (ms) => age(ms).replace(/^(\d{2,}[mhd])\d\d$/, "$1");

export function price(value) {
  if (value === null || value === undefined) return NOTHING;
  const [whole, decimals = ""] = value.toFixed(6).replace(/0+$/, "").split(".");
  return `${whole}.${decimals.padEnd(2, "0")}`;
}

export function count(value) {
  if (value === null || value === undefined) return NOTHING;
  for (const [least, unit, scale] of [[999.95e6, "G", 1e9], [999.95e3, "M", 1e6], [9999.5, "k", 1e3]]) {
    if (value >= least) {
      const scaled = value / scale;
      return scaled < 99.95 ? `${scaled.toFixed(1)}${unit}` : `${scaled.toFixed(0)}${unit}`;
    }
  }
  return value % 1 ? value.toFixed(1) : String(value);
}

export const fixed = (value, decimals) =>
  value === null || value === undefined ? NOTHING : value.toFixed(decimals);

export const percent = (share, decimals = 0) =>
  share === null || share === undefined ? NOTHING : `${(share * 100).toFixed(decimals)} %`;

export const megabytes = (bytes) =>
  bytes === null || bytes === undefined ? NOTHING : `${(bytes / 1048576).toFixed(0)} MB`;

export function clock(ms, precise = false) {
  if (!ms) return NOTHING;
  const at = new Date(ms);
  const two = (value) => String(value).padStart(2, "0");
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return precise ? `${time}.${String(at.getMilliseconds()).padStart(3, "0")}` : time;
}

export function moment(ms, now) {
  if (!ms) return NOTHING;
  const at = new Date(ms);
  const today = new Date(now).toDateString() === at.toDateString();
  const day = `${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
  return today ? clock(ms) : `${day} ${clock(ms)}`;
}

export const plural = (amount, thing) => `${amount} ${thing}${amount === 1 ? "" : "s"}`;
