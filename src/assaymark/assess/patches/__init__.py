"""Written changes of the files that findings are about."""
