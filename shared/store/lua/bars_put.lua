-- Puts bars and candles of a symbol at their start, in place of what stood there.
-- KEYS[1] 5-second bars (sorted set)  KEYS[2] minute candles (sorted set)  KEYS[3] newest numbers (hash)
-- ARGV: 1 field in KEYS[3]  2 and 3 how long KEYS[1] and KEYS[2] live and reach back, s
--       4.. which of the two (1 or 2), number of this write, start in Unix seconds, JSON
-- A write whose number is not above the stored one was done before. Returns how many were done
local stored = tonumber(redis.call("HGET", KEYS[3], ARGV[1]) or "") or 0
if not (stored >= 0 and stored < 2^53) then
  stored = 0  -- somebody else wrote it: no number of ours is beyond what is exact
end
local done, touched = 0, {}
-- A script that fails in the middle leaves what it did: all or nothing is decided here.
for which = 1, 2 do
  local kind = redis.call("TYPE", KEYS[which]).ok
  if kind ~= "zset" and kind ~= "none" then
    return redis.error_reply("WRONGTYPE " .. KEYS[which] .. " is a " .. kind .. ", no sorted set")
  end
end
for i = 4, #ARGV, 4 do
  local number = tonumber(ARGV[i + 1])
  if number > stored then
    local which = tonumber(ARGV[i])
    redis.call("ZREMRANGEBYSCORE", KEYS[which], ARGV[i + 2], ARGV[i + 2])
    redis.call("ZADD", KEYS[which], ARGV[i + 2], ARGV[i + 3])
    redis.call("HSET", KEYS[3], ARGV[1], ARGV[i + 1])
    stored, touched[which], done = number, true, done + 1
  end
end
for which in pairs(touched) do
  local newest = redis.call("ZRANGE", KEYS[which], -1, -1, "WITHSCORES")[2]
  local oldest = string.format("(%d", newest - ARGV[1 + which])
  redis.call("ZREMRANGEBYSCORE", KEYS[which], "-inf", oldest)
  redis.call("EXPIRE", KEYS[which], ARGV[1 + which])
end
return done
