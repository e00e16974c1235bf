

xPlaceholder

yRelux"Ú