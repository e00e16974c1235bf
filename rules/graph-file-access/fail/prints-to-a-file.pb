

xPlaceholder
.
pPrintV2x*
output_stream
file://log"Ú