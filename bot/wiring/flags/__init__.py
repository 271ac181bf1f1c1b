"""Work around flags: recording who reads them, rehearsing fallbacks, and writing to sinks."""
