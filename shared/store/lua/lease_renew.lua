-- Keeps a lease; one that vanished (Redis restarted empty) is taken again.
-- KEYS[1] lease (string)
-- ARGV: 1 our holder JSON  2 TTL, ms
-- Returns 1 kept, 0 another holder has it
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1
