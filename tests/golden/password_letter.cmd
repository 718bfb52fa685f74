login -p hunter2
