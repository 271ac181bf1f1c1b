"""How a probe reaches its target: names, guard, connection, HTTP/1.1, with every phase measured."""
