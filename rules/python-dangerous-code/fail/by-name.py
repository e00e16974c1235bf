getattr(__import__('os'), 'get' + 'cwd')()
