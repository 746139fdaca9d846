-- One worker's heartbeat, its field in the family's hash, and the family's connected flag.
-- KEYS[1] heartbeat of the worker (string)  KEYS[2] heartbeat of the family (hash), if it has one
-- KEYS[3] connected flag of the family (string), only with ARGV[6] or more
-- ARGV: 1 worker  2 heartbeat JSON  3 now, Unix ms  4 TTL of KEYS[1], s  5 TTL of the others, s
--       6 how long a field stays fresh for the flag, ms  7.. workers that must be connected
-- Fields of workers that did not renew them within the TTL are removed, and those more than 2 s
-- ahead of now (a clock that stepped back). Returns the flag or "".
local now = tonumber(ARGV[3])
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[4])
if #KEYS < 2 then
  return ""
end
redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
redis.call("EXPIRE", KEYS[2], ARGV[5])
local beats = {}
local all = redis.call("HGETALL", KEYS[2])
for i = 1, #all, 2 do
  local ok, beat = pcall(cjson.decode, all[i + 1])
  local age = ok and type(beat) == "table" and now - (tonumber(beat.ts) or 0)
  if not age or age > tonumber(ARGV[5]) * 1000 or age < -2000 then
    redis.call("HDEL", KEYS[2], all[i])
  else
    beats[all[i]] = age <= tonumber(ARGV[6]) and beat.connected == true
  end
end
if #KEYS < 3 then
  return ""
end
local flag = "1"
for i = 7, #ARGV do
  if not beats[ARGV[i]] then
    flag = "0"
  end
end
redis.call("SET", KEYS[3], flag, "EX", ARGV[5])
return flag
