-- Gives a lease back, if it is still ours.
-- KEYS[1] lease (string)   ARGV: 1 our holder JSON
-- Returns 1 released, 0 it was not ours
if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("DEL", KEYS[1])
end
return 0
