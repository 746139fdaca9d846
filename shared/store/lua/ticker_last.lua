-- Writes the last and volume half of a ticker; a quote that nobody renewed goes.
-- KEYS[1] ticker (hash)
-- ARGV: 1 our receive time, Unix ms  2 TTL, s  3 how far ahead of now a stored time may be, ms
--       4.. field, value pairs; an empty value removes the field
-- Returns 1, or 2 when a quote older than the TTL was removed
local ticker, now = KEYS[1], tonumber(ARGV[1])
local set, gone, result = {"last_received_ts", ARGV[1], "ts", ARGV[1]}, {}, 1
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    gone[#gone + 1] = ARGV[i]
  else
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 1]
  end
end
local renewed = tonumber(redis.call("HGET", ticker, "quote_received_ts") or "")
if renewed and (now - renewed > ARGV[2] * 1000 or renewed - now > tonumber(ARGV[3])) then
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
redis.call("EXPIRE", ticker, ARGV[2])
return result
