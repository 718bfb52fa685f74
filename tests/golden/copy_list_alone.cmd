copy --images nowhere.txt
