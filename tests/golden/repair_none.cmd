repair
