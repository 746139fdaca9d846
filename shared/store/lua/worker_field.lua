-- One worker's field in a hash that several workers share.
-- KEYS[1] the hash
-- ARGV: 1 worker  2 JSON with a `ts` (Unix ms)  3 now, Unix ms  4 TTL, s
-- Fields that were not renewed within the TTL are removed, and those more than 2 s ahead of now
-- (a clock that stepped back). Returns how many.
local removed = 0
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
redis.call("EXPIRE", KEYS[1], ARGV[4])
local all = redis.call("HGETALL", KEYS[1])
for i = 1, #all, 2 do
  local ok, value = pcall(cjson.decode, all[i + 1])
  local ts = ok and type(value) == "table" and tonumber(value.ts)
  local age = ts and tonumber(ARGV[3]) - ts
  if not age or age > tonumber(ARGV[4]) * 1000 or age < -2000 then
    removed = removed + redis.call("HDEL", KEYS[1], all[i])
  end
end
return removed
