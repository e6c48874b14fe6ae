complete --keep-order --exclusive --command lxcctl --arguments "(COMPLETE=fish lxcctl -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
