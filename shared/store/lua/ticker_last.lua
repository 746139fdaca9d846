-- Writes the last and volume half of a ticker; a quote that nobody renewed goes.
-- KEYS[1] ticker (hash)
-- ARGV: 1 when it was received, Unix ms  2 now, Unix ms  3 TTL, s
--       4 how far ahead of now a stored time may be, ms  5.. field, value pairs; "" removes
-- Returns 1, or 2 when a quote that holds no longer than the TTL was removed
local ticker, received, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead = now + tonumber(ARGV[4])
local held = redis.call("HMGET", ticker, "ts", "quote_ts")
local set, gone, result = {"last_received_ts", ARGV[1]}, {}, 1
local seen, renewed = tonumber(held[1] or ""), tonumber(held[2] or "")
if not (seen and seen > received and seen <= ahead) then
  set[3], set[4] = "ts", ARGV[1]
end
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    gone[#gone + 1] = ARGV[i]
  else
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 1]
  end
end
if renewed and (now - renewed > ARGV[3] * 1000 or renewed > ahead) then
  for _, name in ipairs(redis.call("HKEYS", ticker)) do
    if name:match("^quote") or name:match("^bid") or name:match("^ask") or name:match("^spread") or name == "mid" then
      gone[#gone + 1] = name
    end
  end
  result = 2
end
redis.call("HSET", ticker, unpack(set))
if #gone > 0 then
  redis.call("HDEL", ticker, unpack(gone))
end
redis.call("EXPIRE", ticker, ARGV[3])
return result
