-- Takes a worker's lease when it is free, or from the holder that the caller knows to be dead.
-- KEYS[1] lease (string)
-- ARGV: 1 our holder JSON  2 TTL, ms  3 the holder JSON to replace, empty for none
-- Returns our JSON when taken, else the present holder's
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[3] then
  return holder
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return ARGV[1]
