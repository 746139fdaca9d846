-- Writes the quote half of a ticker for its owner; a backward or foreign quote changes nothing.
-- KEYS[1] ticker (hash)  KEYS[2] coord:depth:live of the symbol (string): depth owns the quote
-- KEYS[3] newest quote time ever written, by symbol (hash): outlives an expired or released quote
-- ARGV: 1 source ("depth", "tob" or "delayed")  2 symbol  3 as of when it holds, Unix ms
--       4 when it was received, Unix ms  5 now, Unix ms  6 TTL, s
--       7 how far ahead of now a stored time may be, ms  8.. field, value pairs; "" removes
-- Last and volume fields that nobody renewed within the TTL go. Returns 1 written, 0 late
-- (dropped), -1 not the owner, 2 written over a time from the future, 3 said lately, unchanged
local ticker, source, ts, now = KEYS[1], ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[5])
if (redis.call("EXISTS", KEYS[2]) == 1) ~= (source == "depth") then
  return -1
end
local held = redis.call("HMGET", ticker, "quote_source", "quote_received_ts", "quote_ts", "ts", "last_received_ts")
-- A quote offered again (it holds now, received earlier) is written every ten seconds at most.
local ahead, result, shown = now + tonumber(ARGV[7]), 1, tonumber(held[3] or "")
if ARGV[3] ~= ARGV[4] and held[1] == source and held[2] == ARGV[4] and shown and shown <= ahead and ts - shown < math.min(10000, ARGV[6] * 500) then
  return 3
end
local stored = tonumber(redis.call("HGET", KEYS[3], ARGV[2]) or "")
if stored and stored > ts then
  if stored <= ahead then
    return 0
  end
  result = 2
end
redis.call("HSET", KEYS[3], ARGV[2], ARGV[3])
local set = {"quote_ts", ARGV[3], "quote_received_ts", ARGV[4], "quote_source", source}
local gone, seen, renewed = {}, tonumber(held[4] or ""), tonumber(held[5] or "")
if not (seen and seen > tonumber(ARGV[4]) and seen <= ahead) then
  set[7], set[8] = "ts", ARGV[4]
end
for i = 8, #ARGV, 2 do
  if ARGV[i + 1] == "" then
    gone[#gone + 1] = ARGV[i]
  else
    set[#set + 1] = ARGV[i]
    set[#set + 1] = ARGV[i + 1]
  end
end
if renewed and (now - renewed > ARGV[6] * 1000 or renewed > ahead) then
  for _, name in ipairs({"last", "last_size", "last_venue", "last_ts", "last_received_ts", "volume"}) do
    gone[#gone + 1] = name
  end
end
redis.call("HSET", ticker, unpack(set))
if #gone > 0 then
  redis.call("HDEL", ticker, unpack(gone))
end
redis.call("EXPIRE", ticker, ARGV[6])
return result
