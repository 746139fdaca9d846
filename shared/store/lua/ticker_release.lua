-- Removes the quote half of a ticker when its owner stops quoting and nobody else has taken over.
-- KEYS[1] ticker (hash)
-- ARGV: 1 source that lets go ("depth" or "tob")  2.. the quote fields
-- Returns 1 removed, 0 another source owns them
if redis.call("HGET", KEYS[1], "quote_source") ~= ARGV[1] then
  return 0
end
redis.call("HDEL", KEYS[1], unpack(ARGV, 2))
-- A time of writing alone says nothing: no trade fields are there, so no ticker is.
if redis.call("HLEN", KEYS[1]) == 1 and redis.call("HEXISTS", KEYS[1], "ts") == 1 then
  redis.call("DEL", KEYS[1])
end
return 1
