"""Sphinx settings."""

from importlib.metadata import version as installed_version

project = "skae"
author = "The skae developers"
copyright = "The skae developers"
release = version = installed_version("skae")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "measured"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = "skae"
html_theme_options = {"show_prev_next": False}

autosummary_generate = True
autodoc_typehints = "none"  # the sections on parameters tell the types
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}
