"""The room where kfgn meets the models of other libraries: each in a module of its own, which imports that library."""
