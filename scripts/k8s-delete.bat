@echo off
rem Removes the release. See --help. The same as k8s-delete.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "PURGE=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--purge" goto take_purge
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_purge
set "PURGE=yes"
shift
goto arguments

:help
echo Usage: scripts\k8s-delete.bat [OPTION]
echo.
echo Removes the release, whether Helm or Kustomize installed it. Data (PersistentVolumeClaims) and Secrets stay, so that
echo deploying again goes on where it ended. The namespace stays. Safe to repeat.
echo.
echo   --purge            the data and the Secrets as well: they cannot be brought back
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --timeout SECONDS  longest wait (default 900)
echo   --dry-run          print what would be changed
echo   --yes              do not ask
echo   --help
exit /b 0

:checked
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
rem everything that the chart can make, except what --purge is for
set "KINDS=deployments,statefulsets,daemonsets,replicasets,pods,jobs,cronjobs,services,configmaps,serviceaccounts,roles,rolebindings"
set "KINDS=%KINDS%,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,ingresses,resourcequotas,limitranges"
set "OURS=app.kubernetes.io/instance=%RELEASE%"
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%LIB%" :ask get namespace %NAMESPACE% --ignore-not-found -o name
if errorlevel 1 exit /b 1
if "%LINE%"=="" echo there is no namespace %NAMESPACE%: nothing to delete
if "%LINE%"=="" exit /b 0
set "QUESTION=Delete the release %RELEASE% in %NAMESPACE%? Data and Secrets stay."
if "%PURGE%"=="yes" set "QUESTION=Delete the release %RELEASE% in %NAMESPACE% with ALL ITS DATA and Secrets?"
call "%LIB%" :confirm "%QUESTION%"
if errorlevel 1 exit /b 1
call "%LIB%" :find_helm_release
if errorlevel 1 exit /b 1
if "%HELM_RELEASE%"=="yes" call "%LIB%" :change %HELM% uninstall %RELEASE% --wait --timeout %TIMEOUT%s
if errorlevel 1 exit /b 1
call "%LIB%" :change %KUBE% delete "%KINDS%" --selector "%OURS%" --ignore-not-found --timeout=%TIMEOUT%s
if errorlevel 1 exit /b 1
if "%PURGE%"=="yes" goto purge
echo deleted; data and Secrets stay (--purge removes them):
call %KUBE% get persistentvolumeclaims,secrets --selector "%OURS%" --ignore-not-found -o name
exit /b 0

:purge
call "%LIB%" :change %KUBE% delete persistentvolumeclaims --selector "%OURS%" --ignore-not-found --timeout=%TIMEOUT%s
if errorlevel 1 exit /b 1
call "%LIB%" :change %KUBE% delete secrets %RELEASE% %RELEASE%-secrets --ignore-not-found
if errorlevel 1 exit /b 1
echo deleted, with data and Secrets
exit /b 0
