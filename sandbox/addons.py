def up(x): pass
