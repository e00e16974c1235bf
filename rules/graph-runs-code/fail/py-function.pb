

xPlaceholder

callPyFuncx"Ú