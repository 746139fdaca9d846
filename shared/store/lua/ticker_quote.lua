-- Writes the quote half of a ticker for its owner; a backward or foreign quote changes nothing.
-- KEYS[1] ticker (hash)  KEYS[2] coord:depth:live of the symbol (string): depth owns the quote
-- KEYS[3] newest quote time ever written, by symbol (hash): outlives an expired or released quote
-- ARGV: 1 source ("depth" or "tob")  2 symbol  3 quote time, Unix ms  4 our receive time, Unix ms
--       5 TTL, s  6 how far ahead of now a stored time may be, ms
--       7.. field, value pairs; an empty value removes the field
-- Last and volume fields that nobody renewed within the TTL go. Returns 1 written, 0 late
-- (dropped), -1 not the owner, 2 written over a time from the future
local ticker, source, ts, now = KEYS[1], ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
if (redis.call("EXISTS", KEYS[2]) == 1) ~= (source == "depth") then
  return -1
end
local result = 1
local stored = tonumber(redis.call("HGET", KEYS[3], ARGV[2]) or "")
if stored and stored > ts then
  if stored <= now + tonumber(ARGV[6]) then
    return 0
  end
  result = 2
end
redis.call("HSET", KEYS[3], ARGV[2], ARGV[3])
local set = {"quote_ts", ARGV[3], "quote_received_ts", ARGV[4], "quote_source", source, "ts", ARGV[4]}
local gone = {}
for i = 7, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    gone[#gone + 1] = ARGV[i]
  else
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 1]
  end
end
local renewed = tonumber(redis.call("HGET", ticker, "last_received_ts") or "")
if renewed and (now - renewed > ARGV[5] * 1000 or renewed - now > tonumber(ARGV[6])) then
  for _, name in ipairs({"last", "last_size", "last_venue", "last_ts", "last_received_ts", "volume"}) do
    gone[#gone + 1] = name
  end
end
redis.call("HSET", ticker, unpack(set))
if #gone > 0 then
  redis.call("HDEL", ticker, unpack(gone))
end
redis.call("EXPIRE", ticker, ARGV[5])
return result
