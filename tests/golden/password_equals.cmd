login quay.io --password=hunter2
