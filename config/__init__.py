"""Settings, and the one place where the house is wired together.

>>> from config.settings import Settings
>>> Settings.from_environment({"EDUSEAL_HOME": "/srv/eduseal"}).home.name
'eduseal'
"""
