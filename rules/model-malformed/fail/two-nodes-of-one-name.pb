

xPlaceholder

xPlaceholder"Ú