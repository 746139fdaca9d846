-- Turns a reserved slot into a call, once its time has come.
-- KEYS[1] bucket of an account (hash); its times are Unix us of the server's clock
-- ARGV: 1 epoch of the reservation  2 its slot, Unix us  3 how late the call may be, us
--       4 how long the caller has waited for it, us  5 TTL, ms
-- Returns 1 call now; 0 void: a cooldown is on, the bucket was begun anew, or the slot has passed
-- What somebody else wrote counts as nothing: NaN, infinity, what cannot be added to.
local function number(text)
  local found = tonumber(text or "")
  return found and math.abs(found) < 2^53 and found or nil
end
local function count(field, by)
  local done = redis.pcall("HINCRBY", KEYS[1], field, by)
  if type(done) == "table" and done.err then redis.call("HSET", KEYS[1], field, by) end
end
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local held = redis.call("HMGET", KEYS[1], "epoch", "run", "cooldown_us", "window_us")
local cooldown = number(held[3]) or 0
redis.call("PEXPIRE", KEYS[1], string.format("%.0f", math.max(tonumber(ARGV[5]), (cooldown - now) / 1000 + 1000)))
local info = redis.pcall("INFO", "server")
local run = type(info) == "string" and info:match("run_id:(%x+)") or ""
if held[1] ~= ARGV[1] or held[2] ~= run then
  return 0
end
-- Slots missed together, say while Redis stood still, must not become calls made together.
-- A slot still ahead is one the clock stepped back from: its time has come all the same.
if cooldown > now or now > ARGV[2] + ARGV[3] then
  return 0
end
local window = number(held[4])
if not window or window > now or now >= window + 60000000 then
  redis.call("HSET", KEYS[1], "window_us", string.format("%.0f", now))
end
count("granted", 1)
count("waited", 1)
count("waited_us", ARGV[4])
return 1
