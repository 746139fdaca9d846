-- Adds consecutive prints of a symbol, newest first; those it has by number are skipped.
-- KEYS[1] trades of the symbol (list)  KEYS[2] newest numbers (hash)
-- ARGV: 1 field in KEYS[2]  2 number of the first print  3 how many the list keeps  4 its TTL, s
--       5.. prints, JSON, oldest first
-- Returns how many were added
local stored = tonumber(redis.call("HGET", KEYS[2], ARGV[1]) or "") or 0
if not (stored >= 0 and stored < 2^53) then
  stored = 0  -- somebody else wrote it: no number of ours is beyond what is exact
end
local first = tonumber(ARGV[2])
local from = 5 + math.max(0, stored - first + 1)
-- Redis takes some 8,000 arguments from Lua at once.
for i = from, #ARGV, 1000 do
  redis.call("LPUSH", KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if from <= #ARGV then
  redis.call("LTRIM", KEYS[1], 0, ARGV[3] - 1)
  redis.call("HSET", KEYS[2], ARGV[1], string.format("%d", first + #ARGV - 5))
end
redis.call("EXPIRE", KEYS[1], ARGV[4])
return math.max(0, #ARGV - from + 1)
