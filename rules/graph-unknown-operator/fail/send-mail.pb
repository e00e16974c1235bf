

xPlaceholder

ySendMailx"Ú