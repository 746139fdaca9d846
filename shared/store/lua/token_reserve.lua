-- Reserves the next free slot of a shared call budget: first come, first served.
-- KEYS[1] bucket of an account (hash); its times are Unix us of the server's clock
-- ARGV: 1 time between calls, us  2 least time between two calls, us  3 calls at once after a quiet
--       time  4 horizon, us: no slot lies further ahead  5 epoch of a bucket begun here  6 TTL, ms
-- A bucket that is absent, from before a restart, or ahead of a clock that stepped back begins
-- anew, empty. Returns {1 call now | 2 call in so many us | 0 refused, us, slot, epoch, cooldown reason}
-- What somebody else wrote counts as nothing: NaN, infinity, what cannot be added to.
local function number(text)
  local found = tonumber(text or "")
  return found and math.abs(found) < 2^53 and found or nil
end
local function count(field, by)
  local done = redis.pcall("HINCRBY", KEYS[1], field, by)
  if type(done) == "table" and done.err then redis.call("HSET", KEYS[1], field, by) end
end
local interval, spacing, burst, horizon = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local held = redis.call("HMGET", KEYS[1], "epoch", "run", "empty_us", "last_us", "cooldown_us", "cooldown_len_us", "cooldown_reason", "window_us")
-- A restart may have lost the newest reservations, even with an append-only file.
local info = redis.pcall("INFO", "server")
local run = type(info) == "string" and info:match("run_id:(%x+)") or ""
local epoch, empty, last = held[1], number(held[3]), number(held[4])
local ahead = now + math.max(horizon, 60000000) + 1000000
if not (epoch and empty and last) or held[2] ~= run or empty > ahead or last > ahead then
  epoch, empty, last = ARGV[5], now, now
end
-- After a step back a cooldown lasts its whole length again, and no longer; what is over stays so.
local cooldown = math.min(number(held[5]) or 0, now + (number(held[6]) or 0))
if cooldown <= now then cooldown = 0 end
local slot = math.max(now, cooldown, last + spacing, empty + interval)
local wait, state = slot - now, 2
if wait > horizon then
  state = 0
  count("refused", 1)
else
  empty, last = math.max(empty, slot - burst * interval) + interval, slot
end
if wait == 0 then
  state = 1
  count("granted", 1)
  local window = number(held[8])
  if not window or window > now or now >= window + 60000000 then
    redis.call("HSET", KEYS[1], "window_us", string.format("%.0f", now))
  end
end
redis.call("HSET", KEYS[1], "epoch", epoch, "run", run, "empty_us", string.format("%.0f", empty), "last_us", string.format("%.0f", last), "cooldown_us", string.format("%.0f", cooldown))
redis.call("PEXPIRE", KEYS[1], string.format("%.0f", math.max(tonumber(ARGV[6]), (cooldown - now) / 1000 + 1000)))
return {state, wait, string.format("%.0f", slot), epoch, cooldown > now and held[7] or ""}
