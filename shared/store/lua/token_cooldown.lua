-- Keeps every process on an account from calling for a while; the longer of old and new wins.
-- KEYS[1] bucket of an account (hash); its times are Unix us of the server's clock
-- ARGV: 1 how long, us  2 reason  3 TTL, ms
-- Returns the us left
-- What somebody else wrote counts as nothing: NaN, infinity.
local function number(text)
  local found = tonumber(text or "")
  return found and math.abs(found) < 2^53 and found or 0
end
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local held = redis.call("HMGET", KEYS[1], "cooldown_us", "cooldown_len_us")
local cooldown = math.min(number(held[1]), now + number(held[2]))
if now + ARGV[1] > cooldown then
  cooldown = now + ARGV[1]
  redis.call("HSET", KEYS[1], "cooldown_us", string.format("%.0f", cooldown), "cooldown_len_us", ARGV[1], "cooldown_reason", ARGV[2])
end
redis.call("PEXPIRE", KEYS[1], string.format("%.0f", math.max(tonumber(ARGV[3]), (cooldown - now) / 1000 + 1000)))
return cooldown - now
