-- Writes the quote half of a ticker for its owner; a backward or foreign quote changes nothing.
-- KEYS[1] ticker (hash)  KEYS[2] coord:depth:live of the symbol (string), owner's sign
-- ARGV: 1 source ("depth" or "tob")  2 quote time, Unix ms  3 our receive time, Unix ms
--       4 TTL, s  5 how far ahead of now a stored time may be, ms
--       6.. field, value pairs; an empty value removes the field
-- Returns 1 written, 0 late (dropped), -1 not the owner, 2 written over a time from the future
local ticker, live = KEYS[1], KEYS[2]
local source, ts, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if source == "tob" and redis.call("EXISTS", live) == 1 then
  return -1
end
local result = 1
local stored = tonumber(redis.call("HGET", ticker, "quote_ts") or "")
if stored and stored > ts then
  if stored <= now + tonumber(ARGV[5]) then
    return 0
  end
  result = 2
end
local set = {"quote_ts", ARGV[2], "quote_received_ts", ARGV[3], "quote_source", source, "ts", ARGV[3]}
local gone = {}
for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    gone[#gone + 1] = ARGV[i]
  else
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 1]
  end
end
redis.call("HSET", ticker, unpack(set))
if #gone > 0 then
  redis.call("HDEL", ticker, unpack(gone))
end
redis.call("EXPIRE", ticker, ARGV[4])
return result
