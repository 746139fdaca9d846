-- Removes the quote half of a ticker when its owner stops quoting and nobody else has taken over.
-- KEYS[1] ticker (hash)
-- ARGV: 1 source that lets go ("depth" or "tob")  2.. the quote fields
-- Returns 1 removed, 0 another source owns them
if redis.call("HGET", KEYS[1], "quote_source") ~= ARGV[1] then
  return 0
end
redis.call("HDEL", KEYS[1], unpack(ARGV, 2))
return 1
